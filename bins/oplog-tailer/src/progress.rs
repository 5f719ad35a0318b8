//! What the bus has confirmed, as the coordinator sees it.

use std::{collections::VecDeque, time::Duration};

use mongoferry_bus::{Bus, BusError, key};
use mongoferry_mongo::{Cluster, MongoError, oplog_bounds};
use mongoferry_protocol::{CaptureProgress, Durable, Namespace, OplogBatch, Optime, StartPoint};
use mongoferry_stage::Stage;
use tokio::time::Instant;

use crate::metrics;

const STORE_EVERY: Duration = Duration::from_millis(200);

/// Batches sent wait here until the bus confirms them; only then they count.
pub struct Progress {
    record: CaptureProgress,
    sent: VecDeque<Sent>,
    /// The record has changed since it was stored.
    changed: bool,
    stored_at: Instant,
    unrecorded: Option<StartPoint>,
}

/// Deletes of expired documents in one batch.
#[derive(Clone, Copy, Debug, Default)]
pub struct Expiries {
    pub last: Optime,
    pub count: u64,
}

struct Sent {
    expiries: Expiries,
    last: Optime,
    last_wall_ms: u64,
    last_change: Optime,
    namespace: Option<Namespace>,
    entries: u64,
}

impl Progress {
    pub async fn load(stage: &Stage, unrecorded: Option<StartPoint>) -> Result<Self, BusError> {
        let record = stage.bus.records().get(&key::capture()).await?.map(|stored| stored.value);
        let record = record.unwrap_or(CaptureProgress {
            captured: Optime::ZERO,
            captured_wall_ms: 0,
            last_change: Optime::ZERO,
            last_change_namespace: None,
            last_expiry: Optime::ZERO,
            expiries: 0,
            entries_captured: 0,
            source_oldest: Optime::ZERO,
        });
        Ok(Self { record, sent: VecDeque::new(), changed: false, stored_at: Instant::now(), unrecorded })
    }

    pub fn sent(&mut self, batch: &OplogBatch, namespace: Option<Namespace>, expiries: Expiries) {
        self.sent.push_back(Sent {
            expiries,
            last: batch.last,
            last_wall_ms: batch.last_wall_ms,
            last_change: batch.last_change,
            namespace,
            entries: u64::from(batch.entry_count),
        });
    }

    /// Counts every batch up to the confirmed optime.
    pub fn confirm(&mut self, confirmed: Durable<Optime>) {
        while self.sent.front().is_some_and(|sent| sent.last <= *confirmed.get()) {
            let Some(sent) = self.sent.pop_front() else { break };
            self.record.captured = sent.last;
            self.record.captured_wall_ms = sent.last_wall_ms;
            self.record.entries_captured += sent.entries;
            if sent.last_change > self.record.last_change {
                self.record.last_change = sent.last_change;
                self.record.last_change_namespace = sent.namespace;
            }
            self.record.last_expiry = self.record.last_expiry.max(sent.expiries.last);
            self.record.expiries += sent.expiries.count;
            self.changed = true;
        }
        metrics::captured(&self.record);
    }

    /// Something waits to be stored.
    pub fn is_waiting(&self) -> bool {
        self.changed
    }

    pub fn store_at(&self) -> Instant {
        self.stored_at + STORE_EVERY
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
