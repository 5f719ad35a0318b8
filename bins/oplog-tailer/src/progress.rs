//! What the bus has confirmed, as the coordinator sees it.

use std::{collections::VecDeque, time::Duration};

use mongoferry_bus::{Bus, BusError, key};
use mongoferry_mongo::{Cluster, MongoError, oplog_bounds};
use mongoferry_protocol::{CaptureProgress, Durable, Namespace, OplogBatch, Optime, StartPoint};
use mongoferry_stage::Stage;
use tokio::time::Instant;

use crate::metrics;

const STORE_EVERY: Duration = Duration::from_millis(200);
/// Users wait for what the coordinator sees.
const STORE_EVERY_IN_CUTOVER: Duration = Duration::from_millis(10);

/// Batches sent wait here until the bus confirms them; only then they count.
pub struct Progress {
    record: CaptureProgress,
    /// What the record becomes, once the bus has each of them.
    sent: VecDeque<CaptureProgress>,
    /// The record has changed since it was stored.
    changed: bool,
    stored_at: Instant,
    store_every: Duration,
    unrecorded: Option<StartPoint>,
}

/// Deletes of expired documents in one batch.
#[derive(Clone, Copy, Debug, Default)]
pub struct Expiries {
    pub last: Optime,
    pub count: u64,
}

const NOTHING: CaptureProgress = CaptureProgress {
    captured: Optime::ZERO,
    captured_wall_ms: 0,
    last_change: Optime::ZERO,
    last_change_namespace: None,
    last_expiry: Optime::ZERO,
    expiries: 0,
    entries_captured: 0,
    source_oldest: Optime::ZERO,
};

impl Progress {
    /// `last`: the last batch that the bus has stored.
    pub async fn load(
        stage: &Stage,
        last: Option<&OplogBatch>,
        unrecorded: Option<StartPoint>,
    ) -> Result<Self, BusError> {
        // What a tailer recorded that died before its start point was recorded is about batches that are gone.
        let stored = match unrecorded {
            Some(_) => None,
            None => stage.bus.records().get(&key::capture()).await?.map(|stored| stored.value),
        };
        let record = resumed(stored.clone(), last);
        let changed = stored.is_some_and(|stored| stored != record);
        let (sent, stored_at) = (VecDeque::new(), Instant::now());
        Ok(Self { record, sent, changed, stored_at, store_every: STORE_EVERY, unrecorded })
    }

    /// Writes into the batch what will be captured once it is stored.
    pub fn send(&mut self, batch: &mut OplogBatch, namespace: Option<Namespace>, expiries: Expiries) {
        let next = after(self.sent.back().unwrap_or(&self.record), batch, namespace, expiries);
        batch.progress = Some(next.clone());
        self.sent.push_back(next);
    }

    /// Counts every batch up to the confirmed optime.
    pub fn confirm(&mut self, confirmed: Durable<Optime>) {
        while self.sent.front().is_some_and(|sent| sent.captured <= *confirmed.get()) {
            let Some(sent) = self.sent.pop_front() else { break };
            self.record = CaptureProgress { source_oldest: self.record.source_oldest, ..sent };
            self.changed = true;
        }
        metrics::captured(&self.record);
    }

    pub fn hasten(&mut self, in_cutover: bool) {
        self.store_every = if in_cutover { STORE_EVERY_IN_CUTOVER } else { STORE_EVERY };
    }

    /// Something waits to be stored.
    pub fn is_waiting(&self) -> bool {
        self.changed
    }

    pub fn store_at(&self) -> Instant {
        self.stored_at + self.store_every
    }

    pub async fn store_if_due(&mut self, bus: &Bus) -> Result<(), BusError> {
        if self.unrecorded.is_some() || Instant::now() >= self.store_at() { self.store(bus).await } else { Ok(()) }
    }

    /// Stores the record, and the start point once something is captured at all.
    pub async fn store(&mut self, bus: &Bus) -> Result<(), BusError> {
        if !self.changed {
            return Ok(());
        }
        bus.records().put(&key::capture(), &self.record).await?;
        if let Some(start_point) = &self.unrecorded {
            record_once(bus, start_point).await?;
            self.unrecorded = None;
        }
        self.changed = false;
        self.stored_at = Instant::now();
        Ok(())
    }

    /// Notes how far back the source's oplog reaches.
    pub async fn look_at(&mut self, source: &Cluster) -> Result<(), MongoError> {
        let (oldest, newest) = oplog_bounds(source).await?;
        metrics::oplog_window(oldest, newest);
        self.changed |= self.record.source_oldest != oldest && self.record.captured != Optime::ZERO;
        self.record.source_oldest = oldest;
        Ok(())
    }
}

/// What is read and applied begins at the one that stands: batches behind another would have a hole before them.
async fn record_once(bus: &Bus, start_point: &StartPoint) -> Result<(), BusError> {
    let records = bus.records();
    if records.create(&key::start_point(), start_point).await?.is_some() {
        return Ok(());
    }
    // An earlier attempt may have stored it without being told so.
    let standing = records.get(&key::start_point()).await?;
    if standing.is_some_and(|standing| standing.value == *start_point) {
        Ok(())
    } else {
        Err(BusError::AnotherPublisher)
    }
}

/// The record is stored moments after the batches that it tells of: what they tell counts.
fn resumed(stored: Option<CaptureProgress>, last: Option<&OplogBatch>) -> CaptureProgress {
    let stored = stored.unwrap_or(NOTHING);
    let Some(last) = last.filter(|last| last.last > stored.captured) else { return stored };
    match &last.progress {
        Some(progress) => CaptureProgress { source_oldest: stored.source_oldest, ..progress.clone() },
        None => after(&stored, last, None, Expiries::default()),
    }
}

fn after(
    before: &CaptureProgress,
    batch: &OplogBatch,
    namespace: Option<Namespace>,
    expiries: Expiries,
) -> CaptureProgress {
    let mut after = CaptureProgress {
        captured: batch.last,
        captured_wall_ms: batch.last_wall_ms,
        last_expiry: before.last_expiry.max(expiries.last),
        expiries: before.expiries + expiries.count,
        entries_captured: before.entries_captured + u64::from(batch.entry_count),
        ..before.clone()
    };
    if batch.last_change > before.last_change {
        (after.last_change, after.last_change_namespace) = (batch.last_change, namespace);
    }
    after
}

#[cfg(test)]
mod tests {
    use mongoferry_protocol::{CaptureProgress, OplogBatch, Optime};

    use super::{Expiries, NOTHING, after, resumed};

    fn batch(t: u32, last_change: Optime) -> OplogBatch {
        OplogBatch {
            previous: Optime::new(t - 1, 9),
            first: Optime::new(t, 1),
            last: Optime::new(t, 9),
            last_wall_ms: 0,
            last_change,
            entry_count: 9,
            raw_bytes: 0,
            entries: Vec::new(),
            progress: None,
        }
    }

    #[test]
    fn what_was_stored_behind_the_record_is_known_to_who_goes_on() {
        let stored = CaptureProgress { captured: Optime::new(1, 9), source_oldest: Optime::new(1, 1), ..NOTHING };
        let wrote = batch(2, Optime::new(2, 5));
        let expiries = Expiries { last: Optime::new(2, 7), count: 3 };
        let told = after(&stored, &wrote, "shop.orders".parse().ok(), expiries);
        let mut silent = batch(3, Optime::ZERO);
        silent.progress = Some(after(&told, &silent, None, Expiries::default()));
        let resumed = resumed(Some(stored), Some(&silent));
        assert_eq!((resumed.captured, resumed.last_change), (Optime::new(3, 9), Optime::new(2, 5)));
        assert_eq!(resumed.last_change_namespace.map(|name| name.to_string()).as_deref(), Some("shop.orders"));
        assert_eq!((resumed.last_expiry, resumed.expiries, resumed.entries_captured), (expiries.last, 3, 18));
        assert_eq!(resumed.source_oldest, Optime::new(1, 1));
    }

    #[test]
    fn a_record_that_is_up_to_date_and_a_batch_that_tells_nothing() {
        let stored = CaptureProgress { captured: Optime::new(2, 9), entries_captured: 4, ..NOTHING };
        assert_eq!(resumed(Some(stored.clone()), Some(&batch(2, Optime::new(2, 5)))), stored);
        assert_eq!(resumed(Some(stored), Some(&batch(3, Optime::new(3, 5)))).last_change, Optime::new(3, 5));
        assert_eq!(resumed(None, None), NOTHING);
    }
}
