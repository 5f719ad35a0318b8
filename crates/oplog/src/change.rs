//! What the applier applies: one change of one document, or one change of the catalog.

use bson::{RawDocument, RawDocumentBuf};
use mongoferry_protocol::{ChangePosition, CollectionUuid};

use crate::Ddl;

/// One change and its place in the oplog. Every decoding of an entry gives the same changes the same positions.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    pub position: ChangePosition,
    pub kind: ChangeKind,
}

/// Collections are named by their UUID on the source. An `id` is a document `{_id: value}`.
#[derive(Clone, Debug, PartialEq)]
pub enum ChangeKind {
    /// The document exists with this content, whatever was there before.
    Insert {
        uuid: CollectionUuid,
        document: RawDocumentBuf,
    },
    /// The document has this content, if it exists.
    Replace {
        uuid: CollectionUuid,
        id: RawDocumentBuf,
        document: RawDocumentBuf,
    },
    /// The document changes by this `o` of an update entry (`$v: 1` or `$v: 2`), if it exists.
    Delta {
        uuid: CollectionUuid,
        id: RawDocumentBuf,
        delta: RawDocumentBuf,
    },
    Delete {
        uuid: CollectionUuid,
        id: RawDocumentBuf,
    },
    /// A barrier.
    Ddl(Ddl),
}

impl ChangeKind {
    /// The collection and a document with the `_id` of the document changed; nothing for a DDL.
    pub fn target(&self) -> Option<(CollectionUuid, &RawDocument)> {
        match self {
            Self::Insert { uuid, document } => Some((*uuid, document)),
            Self::Replace { uuid, id, .. } | Self::Delta { uuid, id, .. } | Self::Delete { uuid, id } => {
                Some((*uuid, id))
            }
            Self::Ddl(_) => None,
        }
    }

    /// Bytes of BSON that writing this change sends; nothing for a DDL.
    pub fn byte_count(&self) -> usize {
        match self {
            Self::Insert { document, .. } => document.as_bytes().len(),
            Self::Replace { id, document: body, .. } | Self::Delta { id, delta: body, .. } => {
                id.as_bytes().len() + body.as_bytes().len()
            }
            Self::Delete { id, .. } => id.as_bytes().len(),
            Self::Ddl(_) => 0,
        }
    }
}
