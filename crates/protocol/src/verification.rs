//! The proof of equality.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VerificationState {
    Running,
    Equal,
    Different,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DifferenceKind {
    MissingDocument,
    ExtraDocument,
    ChangedDocument,
    /// Of the documents of a capped collection.
    DocumentOrder,
    MissingCollection,
    ExtraCollection,
    CollectionOptions,
    View,
    Index,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Difference {
    pub kind: DifferenceKind,
    pub namespace: String,
    /// The document's `_id` as relaxed extended JSON, or the index's name.
    pub item: Option<String>,
    pub detail: String,
}

/// What a verifier found for one cutover. `cutover` tells apart the runs of repeated attempts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verification {
    pub cutover: u32,
    /// Documents are compared before finalizing (`false`), metadata after it (`true`).
    pub metadata: bool,
    pub state: VerificationState,
    pub collections: u64,
    pub collections_total: u64,
    /// Documents compared, counted on the source.
    pub documents: u64,
    pub bytes: u64,
    /// The first of them; `difference_count` has them all.
    pub differences: Vec<Difference>,
    pub difference_count: u64,
    /// Everything that holds one of them.
    #[serde(default)]
    pub differing_namespaces: Vec<String>,
    pub started_at_ms: u64,
    pub finished_at_ms: u64,
}
