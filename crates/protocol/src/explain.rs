//! What every error that a user could act on must say about itself.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whether doing the same again makes sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Retry {
    /// The cause passes by itself (a lost connection, an election): the process ends with 1 and is started again.
    Soon,
    /// Somebody must mend something first (a password, a full disk): the migration stops with its state kept.
    AfterFix,
    /// This migration can't go on; the hint says what to do instead.
    Never,
}

/// An error with a stable code and advice. Implementations match exhaustively, so that no error ships without either.
pub trait Explain: std::error::Error {
    /// Stable, documented in the README, of the form `MF-…`.
    fn code(&self) -> &'static str;
    /// Whole sentences, imperative: what to do, naming the command, option or setting.
    fn hint(&self) -> String;
    fn retry(&self) -> Retry;
}
