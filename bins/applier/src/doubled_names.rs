//! Which collections hold documents with two fields of one name, where no update by operators is safe for them.

use std::collections::HashMap;

use mongoferry_bus::{BusError, Records, key};
use mongoferry_mongo::{DeltaForm, holds_doubled_name};
use mongoferry_oplog::{CollectionWork, OrderedStep, Round, UpdateStep};
use mongoferry_protocol::CollectionUuid;

#[derive(Default)]
pub struct DoubledNames {
    matter: bool,
    /// What is recorded on the bus of each collection that was written to in this term.
    known: HashMap<CollectionUuid, bool>,
}

impl DoubledNames {
    /// They are safe on a destination before 5.0.
    pub fn on(destination: DeltaForm) -> Self {
        Self { matter: destination != DeltaForm::Pipeline, known: HashMap::new() }
    }

    /// Learns of the collections in `round` what is recorded, and records what the round brings, before it is written.
    pub async fn look(&mut self, records: &Records, round: &Round) -> Result<(), BusError> {
        if !self.matter {
            return Ok(());
        }
        for work in round.lanes.iter().flat_map(|lane| &lane.collections) {
            let known = match self.known.get(&work.uuid) {
                Some(known) => *known,
                None => recorded(records, work.uuid).await?,
            };
            let brings = !known && brings_one(work);
            if brings {
                records.put(&key::doubled_names(work.uuid), &true).await?;
            }
            self.known.insert(work.uuid, known || brings);
        }
        Ok(())
    }

    /// Whether documents of the collection have to be read again instead of being changed.
    pub fn in_collection(&self, uuid: CollectionUuid) -> bool {
        self.known.get(&uuid).copied().unwrap_or(false)
    }
}

/// A read may be answered by a member of the bus that is behind, so what it says is written again: that asks the bus itself.
async fn recorded(records: &Records, uuid: CollectionUuid) -> Result<bool, BusError> {
    let key = key::doubled_names(uuid);
    let confirmed = match records.get(&key).await? {
        None => records.create(&key, &false).await?,
        Some(record) if !record.value => records.update(&key, &false, record.revision).await?,
        Some(_) => None,
    };
    Ok(confirmed.is_none())
}

/// Deltas make no name twice: what they set is changed where it stands.
fn brings_one(work: &CollectionWork) -> bool {
    let of_update = |step: &UpdateStep| match step {
        UpdateStep::Replace { document, .. } => holds_doubled_name(document),
        UpdateStep::Delta { .. } => false,
    };
    work.inserts.iter().any(|document| holds_doubled_name(document))
        || work.updates.iter().any(of_update)
        || work.ordered.iter().any(|step| match step {
            OrderedStep::Insert { document } => holds_doubled_name(document),
            OrderedStep::Update(step) => of_update(step),
            OrderedStep::Delete { .. } => false,
        })
}

#[cfg(test)]
mod tests {
    use bson::{RawDocumentBuf, raw::cstr, rawdoc};
    use mongoferry_oplog::{CollectionWork, OrderedStep, UpdateStep};
    use mongoferry_protocol::CollectionUuid;

    use super::brings_one;

    fn doubled() -> RawDocumentBuf {
        let mut document = rawdoc! { "_id": 1, "a": 1 };
        document.append(cstr!("a"), 2);
        document
    }

    #[test]
    fn whole_documents_bring_them_wherever_they_stand() {
        let none = || CollectionWork {
            uuid: CollectionUuid::from_bytes([1; 16]),
            deletes: vec![rawdoc! { "_id": 2 }],
            inserts: vec![rawdoc! { "_id": 3, "a": 1 }],
            updates: vec![UpdateStep::Delta { id: rawdoc! { "_id": 1 }, delta: doubled() }],
            ordered: vec![OrderedStep::Delete { id: rawdoc! { "_id": 4 } }],
        };
        let replace = || UpdateStep::Replace { id: rawdoc! { "_id": 1 }, document: doubled() };
        assert!(!brings_one(&none()));
        assert!(brings_one(&CollectionWork { inserts: vec![doubled()], ..none() }));
        assert!(brings_one(&CollectionWork { updates: vec![replace()], ..none() }));
        assert!(brings_one(&CollectionWork { ordered: vec![OrderedStep::Insert { document: doubled() }], ..none() }));
        assert!(brings_one(&CollectionWork { ordered: vec![OrderedStep::Update(replace())], ..none() }));
    }
}
