//! One write of one document, as the applier wants it done.

use bson::RawDocumentBuf;
use mongoferry_protocol::Namespace;

/// An `id` is a document `{_id: value}`.
#[derive(Clone, Debug, PartialEq)]
pub enum WriteStep {
    Delete {
        id: RawDocumentBuf,
    },
    /// The document exists with this content afterwards, whatever was there before.
    Insert {
        document: RawDocumentBuf,
    },
    /// The document has this content, if it exists.
    Replace {
        id: RawDocumentBuf,
        document: RawDocumentBuf,
    },
    /// The document changes by this `o` of an oplog update, if it exists.
    Delta {
        id: RawDocumentBuf,
        delta: RawDocumentBuf,
    },
}

/// Writes to one collection of the destination, in order.
#[derive(Clone, Debug, PartialEq)]
pub struct CollectionSteps {
    pub namespace: Namespace,
    pub steps: Vec<WriteStep>,
}

/// How a [`WriteStep::Insert`] is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InsertForm {
    /// As an insert: cheaper, and refused if the document is there already.
    Insert,
    /// As a replacement that creates what is missing.
    Upsert,
}

impl WriteStep {
    /// Bytes of BSON in it.
    pub(super) fn byte_count(&self) -> usize {
        match self {
            Self::Delete { id } => id.as_bytes().len(),
            Self::Insert { document } => document.as_bytes().len(),
            Self::Replace { id, document: body } | Self::Delta { id, delta: body } => {
                id.as_bytes().len() + body.as_bytes().len()
            }
        }
    }
}
