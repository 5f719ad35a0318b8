//! What the indexer does at cutover, once the destination has every change.

use serde::{Deserialize, Serialize};

use crate::Namespace;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FinalizationStep {
    /// Revertible: prepareUnique and a dry run of every conversion, so that a conflict shows before the point of no return.
    Prepare,
    /// Unique, deferred indexes, views, expiry; in that order.
    Finalize,
}

/// The outcome of one step of one cutover.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finalization {
    pub cutover: u32,
    pub step: FinalizationStep,
    pub complete: bool,
    /// What was done, one line each, for the report.
    pub done: Vec<String>,
    /// Indexes that can't become what they are on the source, with the reason.
    pub problems: Vec<String>,
    /// Indexes that the destination can't build at all. The operator may accept that.
    pub unbuilt: Vec<UnbuiltIndex>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnbuiltIndex {
    pub namespace: Namespace,
    pub name: String,
    /// In the server's words.
    pub reason: String,
}
