//! Folds the changes of one lane to what they end in, per document.
//!
//! Exact for a replay over a copy whose documents were each read at a time of their own: what the folded work leaves is what
//! its changes, applied one by one, would have left, whatever state each document was in.

mod slot;

use std::collections::HashMap;

use bson::RawDocumentBuf;
use mongoferry_protocol::{ChangePosition, CollectionUuid};

use crate::{Change, ChangeKind, CollectionWork, IdKey, LaneWork, OrderedStep, UpdateStep};
use slot::Slot;

/// Collects the changes of one lane until its work is taken.
#[derive(Debug, Default)]
pub struct LaneFold {
    collections: Vec<CollectionFold>,
    by_uuid: HashMap<CollectionUuid, usize>,
    change_count: u64,
    operation_count: usize,
    byte_count: usize,
    last: Option<ChangePosition>,
}

#[derive(Debug)]
struct CollectionFold {
    uuid: CollectionUuid,
    slots: Vec<Slot>,
    by_key: HashMap<IdKey, usize>,
    ordered: Vec<OrderedStep>,
}

impl LaneFold {
    /// Adds the next change of this lane; `key` is that of its document. A DDL has no place in a lane and is ignored.
    pub fn fold(&mut self, change: Change, key: IdKey) {
        let Some((uuid, _)) = change.kind.target() else { return };
        self.change_count += 1;
        self.last = Some(change.position);
        let index = *self.by_uuid.entry(uuid).or_insert_with(|| {
            self.collections.push(CollectionFold::new(uuid));
            self.collections.len() - 1
        });
        let collection = &mut self.collections[index];
        if key == IdKey::Unfoldable {
            self.operation_count += 1;
            self.byte_count += change.kind.byte_count();
            collection.ordered.extend(ordered_step(change.kind));
            return;
        }
        let slot = collection.slot(key);
        let (operations, bytes) = (slot.operation_count(), slot.byte_count());
        slot.fold(change.kind);
        self.operation_count = self.operation_count + slot.operation_count() - operations;
        self.byte_count = self.byte_count + slot.byte_count() - bytes;
    }

    /// Write operations that the work consists of by now.
    pub fn operation_count(&self) -> usize {
        self.operation_count
    }

    /// Bytes of BSON in those operations.
    pub fn byte_count(&self) -> usize {
        self.byte_count
    }

    /// The work, leaving none behind.
    pub fn take(&mut self) -> LaneWork {
        let folded = std::mem::take(self);
        LaneWork {
            collections: folded.collections.into_iter().map(CollectionFold::finish).collect(),
            change_count: folded.change_count,
            operation_count: folded.operation_count,
            byte_count: folded.byte_count,
            last: folded.last,
        }
    }
}

impl CollectionFold {
    fn new(uuid: CollectionUuid) -> Self {
        Self { uuid, slots: Vec::new(), by_key: HashMap::new(), ordered: Vec::new() }
    }

    fn slot(&mut self, key: IdKey) -> &mut Slot {
        let index = *self.by_key.entry(key).or_insert_with(|| {
            self.slots.push(Slot::default());
            self.slots.len() - 1
        });
        &mut self.slots[index]
    }

    fn finish(self) -> CollectionWork {
        let mut work = CollectionWork {
            uuid: self.uuid,
            deletes: Vec::new(),
            inserts: Vec::new(),
            updates: Vec::new(),
            ordered: self.ordered,
        };
        for slot in self.slots {
            slot.finish(&mut work);
        }
        work
    }
}

fn ordered_step(kind: ChangeKind) -> Option<OrderedStep> {
    match kind {
        ChangeKind::Insert { document, .. } => Some(OrderedStep::Insert { document }),
        ChangeKind::Replace { id, document, .. } => Some(OrderedStep::Update(UpdateStep::Replace { id, document })),
        ChangeKind::Delta { id, delta, .. } => Some(OrderedStep::Update(UpdateStep::Delta { id, delta })),
        ChangeKind::Delete { id, .. } => Some(OrderedStep::Delete { id }),
        ChangeKind::Ddl(_) => None,
    }
}

fn length(document: &RawDocumentBuf) -> usize {
    document.as_bytes().len()
}
