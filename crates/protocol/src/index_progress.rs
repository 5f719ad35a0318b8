//! How far the indexes of a collection have come.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Namespace;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum IndexState {
    #[default]
    Waiting,
    Building,
    /// Stands, perhaps without properties that wait for the cutover (unique, expiry).
    Built,
    /// Can't be built before the cutover without endangering the catch-up; built while finalizing.
    Deferred,
    Failed,
}

/// One index as the operator sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexStatus {
    pub namespace: Namespace,
    pub name: String,
    pub state: IndexState,
    /// Why it is deferred or failed, what waits for the cutover, or how far it is being built.
    pub reason: Option<String>,
}

/// Written by the indexer, one record a collection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexProgress {
    /// All of the collection's indexes are built, deferred or failed.
    pub complete: bool,
    pub indexes: Vec<IndexStatus>,
    /// Milliseconds the builds took together.
    pub took_ms: u64,
}
