//! What the changes of one document have come to.

use bson::RawDocumentBuf;

use super::length;
use crate::{
    ChangeKind, CollectionWork, UpdateStep,
    element::{DocumentWriter, find},
};

/// The state that a document's changes so far lead to: a ground, and the deltas behind it.
#[derive(Debug, Default)]
pub(super) struct Slot {
    ground: Ground,
    deltas: Vec<(RawDocumentBuf, RawDocumentBuf)>,
    delta_bytes: usize,
}

#[derive(Debug, Default)]
enum Ground {
    /// Whatever is on the destination.
    #[default]
    Unknown,
    /// The document, whatever was there. `delete_first` is an equal `_id` of another type (1 and 1.0): replacing a document
    /// does not change its `_id`'s type, so it has to go before.
    Present { document: RawDocumentBuf, delete_first: Option<RawDocumentBuf> },
    /// The document, if there is one.
    Replaced { id: RawDocumentBuf, document: RawDocumentBuf },
    /// No document.
    Absent { id: RawDocumentBuf },
}

impl Slot {
    pub fn fold(&mut self, kind: ChangeKind) {
        match kind {
            ChangeKind::Insert { document, .. } => self.insert(document),
            ChangeKind::Replace { id, document, .. } => self.replace(id, document),
            ChangeKind::Delta { id, delta, .. } => self.delta(id, delta),
            ChangeKind::Delete { id, .. } => self.set(Ground::Absent { id }),
            ChangeKind::Ddl(_) => {}
        }
    }

    pub fn operation_count(&self) -> usize {
        let ground = match &self.ground {
            Ground::Unknown => 0,
            Ground::Present { delete_first, .. } => 1 + usize::from(delete_first.is_some()),
            Ground::Replaced { .. } | Ground::Absent { .. } => 1,
        };
        ground + self.deltas.len()
    }

    pub fn byte_count(&self) -> usize {
        let ground = match &self.ground {
            Ground::Unknown => 0,
            Ground::Present { document, delete_first } => length(document) + delete_first.as_ref().map_or(0, length),
            Ground::Replaced { id, document } => length(id) + length(document),
            Ground::Absent { id } => length(id),
        };
        ground + self.delta_bytes
    }

    pub fn finish(self, work: &mut CollectionWork) {
        match self.ground {
            Ground::Unknown => {}
            Ground::Present { document, delete_first } => {
                work.deletes.extend(delete_first);
                work.inserts.push(document);
            }
            Ground::Replaced { id, document } => work.updates.push(UpdateStep::Replace { id, document }),
            Ground::Absent { id } => work.deletes.push(id),
        }
        work.updates.extend(self.deltas.into_iter().map(|(id, delta)| UpdateStep::Delta { id, delta }));
    }

    fn set(&mut self, ground: Ground) {
        self.ground = ground;
        self.deltas.clear();
        self.delta_bytes = 0;
    }

    fn insert(&mut self, document: RawDocumentBuf) {
        let delete_first = match std::mem::take(&mut self.ground) {
            Ground::Absent { id } => (id_document(&document).as_ref() != Some(&id)).then_some(id),
            Ground::Present { delete_first, .. } => delete_first,
            Ground::Unknown | Ground::Replaced { .. } => None,
        };
        self.set(Ground::Present { document, delete_first });
    }

    fn replace(&mut self, id: RawDocumentBuf, document: RawDocumentBuf) {
        match std::mem::take(&mut self.ground) {
            Ground::Unknown | Ground::Replaced { .. } => self.set(Ground::Replaced { id, document }),
            Ground::Present { delete_first, .. } => self.set(Ground::Present { document, delete_first }),
            absent @ Ground::Absent { .. } => self.ground = absent,
        }
    }

    /// A delta of a document that is not there does nothing.
    fn delta(&mut self, id: RawDocumentBuf, delta: RawDocumentBuf) {
        if !matches!(self.ground, Ground::Absent { .. }) {
            self.delta_bytes += length(&id) + length(&delta);
            self.deltas.push((id, delta));
        }
    }
}

/// `{_id: value}` of a document.
fn id_document(document: &RawDocumentBuf) -> Option<RawDocumentBuf> {
    let mut writer = DocumentWriter::new();
    writer.copy(&find(document, "_id").ok()??);
    Some(writer.finish())
}
