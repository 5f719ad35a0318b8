//! What one lane writes in one transaction.

use bson::RawDocumentBuf;
use mongoferry_protocol::{ChangePosition, CollectionUuid};

/// The folded changes of one lane in one round.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LaneWork {
    pub collections: Vec<CollectionWork>,
    /// Changes that were folded into this work.
    pub change_count: u64,
    /// Write operations that came of them.
    pub operation_count: usize,
    /// Bytes of BSON in those operations.
    pub byte_count: usize,
    /// The last change in this work; nothing if there is none.
    pub last: Option<ChangePosition>,
}

/// The work on one collection. To be executed as: `deletes`, then `inserts`, then `updates` in order; `ordered` concerns other
/// documents and may come before or after. An `id` is a document `{_id: value}`.
#[derive(Clone, Debug, PartialEq)]
pub struct CollectionWork {
    /// On the source.
    pub uuid: CollectionUuid,
    /// In any order; a document that is missing is none of our concern.
    pub deletes: Vec<RawDocumentBuf>,
    /// In any order; each replaces a document with its `_id` if there is one.
    pub inserts: Vec<RawDocumentBuf>,
    /// In this order, as one document may have several.
    pub updates: Vec<UpdateStep>,
    /// In this order: the changes of documents whose `_id`s can't be told equal or different here.
    pub ordered: Vec<OrderedStep>,
}

/// Never creates a document: if it is missing, nothing happens.
#[derive(Clone, Debug, PartialEq)]
pub enum UpdateStep {
    Replace {
        id: RawDocumentBuf,
        document: RawDocumentBuf,
    },
    /// `delta` is the `o` of an update entry.
    Delta {
        id: RawDocumentBuf,
        delta: RawDocumentBuf,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub enum OrderedStep {
    /// Replaces the document with its `_id`, or creates it.
    Insert {
        document: RawDocumentBuf,
    },
    Update(UpdateStep),
    Delete {
        id: RawDocumentBuf,
    },
}

impl LaneWork {
    pub fn is_empty(&self) -> bool {
        self.operation_count == 0
    }
}
