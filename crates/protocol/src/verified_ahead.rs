//! What was compared before the cutover, so that the cutover need not.

use serde::{Deserialize, Serialize};

use crate::{CollectionUuid, Difference, Namespace, Optime};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AheadState {
    Waiting,
    Comparing,
    /// Every document was compared once; those that changed since are compared again as they change.
    Done,
    /// Compared at the cutover alone: where order counts, or there is no index of `_id` to read by.
    AtCutover,
    /// So much of it differed that it is compared at the cutover alone.
    Overrun,
}

/// One collection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AheadCollection {
    /// On the source, as last listed.
    pub namespace: Namespace,
    pub database_on_destination: String,
    pub on_source: CollectionUuid,
    pub on_destination: CollectionUuid,
    pub state: AheadState,
    /// Raw BSON `{_id: …}`: everything before it was compared. Absent at the beginning.
    pub lower: Option<serde_bytes::ByteBuf>,
    /// Compared so far, counted on the source.
    pub documents: u64,
    pub bytes: u64,
    /// As the source keeps count of them.
    pub documents_total: u64,
    pub bytes_total: u64,
}

/// A document that was not the same on both sides when it was last looked at; mostly because a change of it was on its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suspect {
    /// On the source.
    pub collection: CollectionUuid,
    /// The bytes of its `_id` element.
    pub id: serde_bytes::ByteBuf,
}

/// Written by the verifier. A verifier that goes on from here misses no change: batches up to `resume` hold none that was not
/// looked at, and `suspects` names what did not come out equal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifiedAhead {
    pub collections: Vec<AheadCollection>,
    pub suspects: Vec<Suspect>,
    /// The first of those suspects that stayed unequal while no change of them was on its way; `differing_count` has them all.
    pub differing: Vec<Difference>,
    pub differing_count: u64,
    /// Stream sequence of the batch to read from.
    pub sequence: u64,
    /// Changes of the source up to here were followed.
    pub resume: Optime,
    /// Writes on the destination up to here were followed.
    pub destination_followed: Optime,
    /// Documents compared again because they changed.
    pub compared_again: u64,
    /// Writes on the destination that are not mongoferry's.
    pub foreign_writes: u64,
    pub last_foreign_write: Option<ForeignWrite>,
    pub started_at_ms: u64,
}

/// A write on the destination by somebody else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForeignWrite {
    pub namespace: String,
    /// Of the destination.
    pub optime: Optime,
}

/// Written by the verifier every few seconds while it follows: the applier keeps the batches from `sequence` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Followed {
    pub sequence: u64,
    pub at_ms: u64,
}
