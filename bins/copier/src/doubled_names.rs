//! Looks out for documents with two fields of one name, where the applier has to know of them.

use std::{
    collections::HashSet,
    sync::{Mutex, MutexGuard},
};

use mongoferry_bus::{BusError, Records, key};
use mongoferry_mongo::{ClusterFacts, CopyBatch, holds_doubled_name, keeps_doubled_names};
use mongoferry_protocol::CollectionUuid;

pub struct DoubledNames {
    matter: bool,
    /// Collections that are recorded: they need no second look.
    recorded: Mutex<HashSet<CollectionUuid>>,
}

impl DoubledNames {
    pub fn on(source: &ClusterFacts) -> Self {
        Self { matter: keeps_doubled_names(source.version, source.fcv.as_deref()), recorded: Mutex::default() }
    }

    /// Records the collection before the batch counts as copied.
    pub async fn look(&self, records: &Records, collection: CollectionUuid, batch: &CopyBatch) -> Result<(), BusError> {
        if !self.matter || self.recorded().contains(&collection) {
            return Ok(());
        }
        let mut documents = batch.array().into_iter().flatten();
        if documents.any(|document| document.as_document().is_some_and(holds_doubled_name)) {
            records.put(&key::doubled_names(collection), &true).await?;
            self.recorded().insert(collection);
        }
        Ok(())
    }

    fn recorded(&self) -> MutexGuard<'_, HashSet<CollectionUuid>> {
        self.recorded.lock().expect("no panic while it is locked")
    }
}
