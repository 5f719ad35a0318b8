//! One write of one document, as the applier wants it done.

use bson::{RawArrayBuf, RawDocument, RawDocumentBuf};
use mongoferry_protocol::{CollectionUuid, Namespace, WriteOrder};

use super::update_forms::is_altered_by_the_server;
use crate::doubled_names::holds_doubled_name;

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
    /// The document changes by these operators, `$set` and `$unset` of whole fields, if it exists.
    Modify {
        id: RawDocumentBuf,
        modifiers: RawDocumentBuf,
    },
    /// The document changes by this `o` of an oplog update, if it exists. Only for servers with the stage for it.
    Delta {
        id: RawDocumentBuf,
        delta: RawDocumentBuf,
    },
    /// The document changes by these stages, if it exists. Where they fail with ConversionFailure they can't be exact, and
    /// [`Self::Reread`] takes their place.
    Pipeline {
        id: RawDocumentBuf,
        stages: RawArrayBuf,
    },
    /// The document becomes what it is on the source, at the lane's new checkpoint or later: the changes that it is then ahead
    /// of lead to the same end.
    Reread {
        id: RawDocumentBuf,
    },
    /// The document exists with this content afterwards, and another one of its `_id` is most likely there: entries of indexes
    /// that stay as they are are not written. Only for `_id`s that are equal by their bytes alone.
    Put {
        document: RawDocumentBuf,
    },
    /// The document, which does not stand there.
    InsertMissing {
        document: RawDocumentBuf,
    },
}

/// Writes to one collection of the destination, in order.
#[derive(Clone, Debug, PartialEq)]
pub struct CollectionSteps {
    pub namespace: Namespace,
    /// On the source.
    pub uuid: CollectionUuid,
    pub order: WriteOrder,
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
    /// The steps after which the document exists with this content, whatever was there before.
    ///
    /// A server names the `_id` of what an update has created, and the driver takes no reply with a text that is not UTF-8: such
    /// documents are deleted and inserted, of which replies say nothing. So are those that only a pipeline leaves as they are: most
    /// servers can't replace a document by one for certain (see [`crate::DeltaForm::Reread`]), but all create one. And so are those
    /// with two fields of one name: what a primary holds already it does not replicate, whatever its secondaries made of it.
    pub fn insert(document: RawDocumentBuf) -> Vec<Self> {
        match odd_id(&document) {
            Some(id) => vec![Self::Delete { id }, Self::InsertMissing { document }],
            None => vec![Self::Insert { document }],
        }
    }

    /// As [`Self::insert`], for a document of which another version most likely stands there.
    pub fn put(document: RawDocumentBuf, order: WriteOrder) -> Vec<Self> {
        match odd_id(&document) {
            None if order != WriteOrder::UnderCollation => vec![Self::Put { document }],
            odd => match odd.or_else(|| id_of(&document)) {
                Some(id) => vec![Self::Delete { id }, Self::InsertMissing { document }],
                None => vec![Self::InsertMissing { document }],
            },
        }
    }

    /// Bytes of BSON in it.
    pub(super) fn byte_count(&self) -> usize {
        match self {
            Self::Delete { id } | Self::Reread { id } => id.as_bytes().len(),
            Self::Insert { document } | Self::Put { document } | Self::InsertMissing { document } => {
                document.as_bytes().len()
            }
            Self::Replace { id, document: body }
            | Self::Modify { id, modifiers: body }
            | Self::Delta { id, delta: body } => id.as_bytes().len() + body.as_bytes().len(),
            Self::Pipeline { id, stages } => id.as_bytes().len() + stages.as_bytes().len(),
        }
    }

    /// `{_id: value}` of its document, if that has one.
    pub(super) fn id(&self) -> Option<RawDocumentBuf> {
        match self {
            Self::Delete { id }
            | Self::Reread { id }
            | Self::Replace { id, .. }
            | Self::Modify { id, .. }
            | Self::Delta { id, .. }
            | Self::Pipeline { id, .. } => Some(id.clone()),
            Self::Insert { document } | Self::Put { document } | Self::InsertMissing { document } => id_of(document),
        }
    }
}

/// `{_id: value}` of a document, if it has one.
pub(super) fn id_of(document: &RawDocument) -> Option<RawDocumentBuf> {
    crate::raw_id::id_alone(document)
}

/// The `_id` of a document that can't be put in place of another one.
fn odd_id(document: &RawDocument) -> Option<RawDocumentBuf> {
    let is_odd =
        |id: &RawDocumentBuf| !is_readable(id) || is_altered_by_the_server(document) || holds_doubled_name(document);
    id_of(document).filter(is_odd)
}

/// Whether the driver can decode it.
fn is_readable(id: &RawDocument) -> bool {
    use bson::spec::ElementType::{DateTime, Int32, Int64, ObjectId};
    let is_plain = |kind| matches!(kind, ObjectId | Int32 | Int64 | DateTime);
    id.iter_elements().flatten().all(|element| is_plain(element.element_type())) || bson::Document::try_from(id).is_ok()
}
