//! Copies documents again that the verifier found to differ, as a part of applying: in a transaction of the term, between two
//! rounds.
//!
//! Each is read from the source as it is now, which is where every lane stands or later, and is put or deleted accordingly. The
//! changes that it is then ahead of are replayed behind it and lead to the same end, as they do behind a copy: so a document that
//! was deleted meanwhile does not come back for good, and nothing older takes the place of what is newer. Doing it again changes
//! nothing.

use std::{collections::BTreeMap, time::Duration};

use bson::RawDocumentBuf;
use mongoferry_bus::key;
use mongoferry_mongo::{CollectionSteps, WriteStep};
use mongoferry_protocol::{CollectionUuid, Failure, PortionRepaired, RepairDocument};
use tokio::time::Instant;

use crate::{applier_error::ApplierError, apply::Active};

/// Asking costs a read of a record.
const ASK_EVERY: Duration = Duration::from_millis(250);
/// On a slow bus asking is to take no more than a fifth of the time: nothing is applied meanwhile.
const ASK_SHARE: u32 = 4;

impl Active<'_> {
    /// What can't be done is answered with its reason, and applying goes on.
    pub async fn repair_if_asked(&mut self) -> Result<(), ApplierError> {
        let records = self.stage.bus.records();
        let began = Instant::now();
        let portion = records.get(&key::repair_portion()).await?;
        self.ask_repair_at = Instant::now() + ASK_EVERY.max(began.elapsed() * ASK_SHARE);
        let Some(portion) = portion else { return Ok(()) };
        let (token, documents) = (portion.value.token, portion.value.documents);
        if records.get(&key::portion_repaired()).await?.is_some_and(|done| done.value.token == token) {
            return Ok(());
        }
        self.lease.check()?;
        let count = documents.len() as u64;
        let refused = match self.copy_again(documents).await {
            Ok(()) => None,
            Err(error) if error.ends_the_term() => return Err(error),
            Err(error) => Some(Failure::of(self.stage.role, &self.stage.instance, &error)),
        };
        tracing::info!(documents = count, refused = refused.is_some(), "documents were to be copied again");
        let documents = if refused.is_none() { count } else { 0 };
        let done = PortionRepaired { token, documents, refused };
        self.stage.bus.records().put(&key::portion_repaired(), &done).await?;
        // The next portion does not let itself be waited for.
        self.ask_repair_at = Instant::now();
        Ok(())
    }

    /// All lanes are at rest, so any of them will do.
    async fn copy_again(&mut self, documents: Vec<RepairDocument>) -> Result<(), ApplierError> {
        let read_after = self.state.lanes().iter().map(|lane| lane.position.optime).max().unwrap_or_default();
        let collections = self.steps_of(documents);
        if collections.is_empty() {
            return Ok(());
        }
        let writer = self.writers.iter_mut().flatten().next().expect("no round is being written");
        Ok(writer.write_aside(&collections, read_after).await.map(drop)?)
    }

    /// Collections that are gone have nothing to be repaired.
    fn steps_of(&self, documents: Vec<RepairDocument>) -> Vec<CollectionSteps> {
        let mut by_collection: BTreeMap<CollectionUuid, Vec<WriteStep>> = BTreeMap::new();
        for document in documents {
            if let Ok(id) = RawDocumentBuf::from_bytes(document.id.into_vec()) {
                by_collection.entry(document.collection).or_default().push(WriteStep::Reread { id });
            }
        }
        let map = self.state.collections();
        let steps = by_collection.into_iter().filter_map(|(uuid, steps)| {
            let mapped = map.get(uuid)?;
            Some(CollectionSteps { namespace: mapped.namespace.clone(), uuid, order: mapped.order, steps })
        });
        steps.collect()
    }
}
