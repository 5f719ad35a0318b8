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
    /// An `_id` equal to that of the document inserted after it, but of another type (1 and 1.0). A replacement need not
    /// change the type of an `_id`, so such a document is deleted before it is inserted; once begun, for the whole round.
    delete_first: Option<RawDocumentBuf>,
    deltas: Vec<(RawDocumentBuf, RawDocumentBuf)>,
    delta_bytes: usize,
}

#[derive(Debug, Default)]
enum Ground {
    /// Whatever is on the destination.
    #[default]
    Unknown,
    /// The document, whatever was there.
    Present { document: RawDocumentBuf },
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
            Ground::Present { .. } => 1 + usize::from(self.delete_first.is_some()),
            Ground::Replaced { .. } | Ground::Absent { .. } => 1,
        };
        ground + self.deltas.len()
    }

    pub fn byte_count(&self) -> usize {
        let ground = match &self.ground {
            Ground::Unknown => 0,
            Ground::Present { document } => length(document) + self.delete_first.as_ref().map_or(0, length),
            Ground::Replaced { id, document } => length(id) + length(document),
            Ground::Absent { id } => length(id),
        };
        ground + self.delta_bytes
    }

    pub fn finish(self, work: &mut CollectionWork) {
        match self.ground {
            Ground::Unknown => {}
            Ground::Present { document } => {
                work.deletes.extend(self.delete_first);
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
        if let Ground::Absent { id } = std::mem::take(&mut self.ground)
            && id_document(&document).as_ref() != Some(&id)
        {
            self.delete_first = Some(id);
        }
        self.set(Ground::Present { document });
    }

    fn replace(&mut self, id: RawDocumentBuf, document: RawDocumentBuf) {
        match self.ground {
            Ground::Unknown | Ground::Replaced { .. } => self.set(Ground::Replaced { id, document }),
            Ground::Present { .. } => self.set(Ground::Present { document }),
            Ground::Absent { .. } => {}
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
