//! Keeps the record of what befalls this process: counts in memory, stored within a second, so that the report knows of it also
//! when the process is killed.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use mongoferry_bus::{Bus, BusError, Key};
use mongoferry_protocol::{PastOutage, ProcessRecord};

use crate::Stage;

/// A process that ends must not wait for a bus that is away.
const LAST_WORD_WITHIN: Duration = Duration::from_secs(1);

/// Cheap to clone; clones share the counts.
#[derive(Clone, Default)]
pub struct Ledger {
    /// Since the record was last stored.
    counted: Arc<Mutex<ProcessRecord>>,
    /// As it is to stand in the bucket; absent until this life has read what the former ones left.
    record: Arc<tokio::sync::Mutex<Option<Stored>>>,
}

struct Stored {
    key: Key<ProcessRecord>,
    record: ProcessRecord,
    /// What the bucket has.
    last: ProcessRecord,
}

impl Ledger {
    pub fn note(&self, count: impl FnOnce(&mut ProcessRecord)) {
        count(&mut self.counted.lock().expect("no panic while the counts are locked"));
    }

    /// Stores what has changed. What can't be stored now is stored the next time.
    pub async fn keep(&self, stage: &Stage, key: Key<ProcessRecord>) -> Result<(), BusError> {
        let mut held = self.record.lock().await;
        if held.is_none() {
            let last = stage.bus.records().get(&key).await?.map(|stored| stored.value).unwrap_or_default();
            let mut record = last.clone();
            record.begin_life();
            *held = Some(Stored { key, record, last });
        }
        let Some(stored) = held.as_mut() else { return Ok(()) };
        stored.record.add(std::mem::take(&mut *self.counted.lock().expect("no panic while the counts are locked")));
        stage.tell_outages(&mut stored.record);
        stored.store(&stage.bus).await
    }

    /// The last word of a life that ends in order.
    pub async fn close(&self, stage: &Stage, failure: Option<String>) {
        // It is held while the bus is waited for, which may be away.
        let Ok(mut held) = tokio::time::timeout(LAST_WORD_WITHIN, self.record.lock()).await else { return };
        let Some(stored) = &mut *held else { return };
        let failed = failure.into_iter().map(|code| (code, 1)).collect::<BTreeMap<_, _>>();
        stored.record.add(ProcessRecord { failed, ..ProcessRecord::default() });
        stored.record.add(std::mem::take(&mut *self.counted.lock().expect("no panic while the counts are locked")));
        stage.tell_outages(&mut stored.record);
        stored.record.running = false;
        if stage.bus.reachability().is_lost() {
            return;
        }
        let stored_in_time = tokio::time::timeout(LAST_WORD_WITHIN, stored.store(&stage.bus)).await;
        if !matches!(stored_in_time, Ok(Ok(()))) {
            tracing::debug!("the bus did not take the last word of this process");
        }
    }
}

impl Stored {
    async fn store(&mut self, bus: &Bus) -> Result<(), BusError> {
        if self.record != self.last {
            bus.records().put(&self.key, &self.record).await?;
            self.last = self.record.clone();
        }
        Ok(())
    }
}

impl Stage {
    /// Counts something for the report; stored within a second.
    pub fn note(&self, count: impl FnOnce(&mut ProcessRecord)) {
        self.ledger.note(count);
    }

    fn tell_outages(&self, record: &mut ProcessRecord) {
        for (party, reachability) in self.parties() {
            reachability.take_ended(party).into_iter().for_each(|ended| record.end_outage(ended));
            match reachability.outage(party) {
                Some(outage) => _ = record.missing.entry(party).or_insert(outage.since_ms),
                None => {
                    if let Some(&since_ms) = record.missing.get(&party) {
                        // It began in a former life, and this one has never missed the party.
                        record.end_outage(PastOutage { party, since_ms, until_ms: mongoferry_protocol::now_ms() });
                    }
                }
            }
        }
    }
}
