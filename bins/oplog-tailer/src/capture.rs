//! The loop: entries from the source into batches, batches onto the bus.

use std::time::Duration;

use mongoferry_bus::BatchPublisher;
use mongoferry_bus::PhaseWatch;
use mongoferry_mongo::{Cluster, OplogCursor, OplogEntries};
use mongoferry_oplog::{BatchBuilder, OplogEntry, Relevance, relevance};
use mongoferry_protocol::Optime;
use mongoferry_stage::Stage;
use tokio::time::{Instant, sleep_until};

use crate::{
    beginning::{Beginning, begin},
    capture_error::CaptureError,
    expiry::is_expiry,
    metrics,
    progress::{Expiries, Progress},
};

/// Raw bytes after which a batch is sent; compressed they are about a third.
const BATCH_BYTES: usize = 1 << 20;
/// How long the first entry of a batch may wait for company; in a cutover it waits for none.
const BATCH_AGE: Duration = Duration::from_millis(20);
const LOOK_AT_SOURCE: Duration = Duration::from_secs(10);

struct Capture<'a> {
    source: &'a Cluster,
    publisher: BatchPublisher,
    builder: BatchBuilder,
    progress: Progress,
    /// Entries up to this one are on the bus already.
    covered: Optime,
    /// In the batch under construction.
    expiries: Expiries,
    phases: PhaseWatch,
    /// When the batch under construction is to be sent.
    due: Option<Instant>,
}

/// Captures until the migration ends or expires, or the process is stopped. On an error everything unconfirmed is forgotten; called
/// again, it goes on behind what the bus has stored. Dropped when the lease is lost: what is under way then is refused if another
/// has published.
pub async fn capture(stage: &Stage, source: &Cluster) -> Result<(), CaptureError> {
    let Beginning { publisher, from, covered, last, unrecorded } = begin(stage, source).await?;
    let mut cursor = OplogCursor::open(source, from).await?;
    let progress = Progress::load(stage, last.as_ref(), unrecorded).await?;
    let builder = BatchBuilder::new(covered);
    let mut capture = Capture {
        source,
        publisher,
        builder,
        progress,
        covered,
        expiries: Expiries::default(),
        phases: stage.phases.clone(),
        due: None,
    };
    let mut phases = stage.phases.clone();
    let mut look_at = Instant::now();
    stage.set_activity("capturing");
    tracing::info!(%from, "capture begins");
    loop {
        capture.progress.hasten(capture.is_cutover());
        // The end comes first; confirmations before new entries, so that the window stays open; a batch
        // that is due before the wait for more.
        tokio::select! {
            biased;
            () = stage.stopping.cancelled() => break,
            record = phases.wait_for(|record| !record.captures()) => {
                tracing::info!(phase = %record.phase, "capture ends");
                break;
            }
            confirmed = capture.publisher.confirm_oldest(), if capture.publisher.has_unconfirmed() => {
                if let Some(confirmed) = confirmed? {
                    capture.progress.confirm(confirmed);
                    capture.progress.store_if_due(&stage.bus).await?;
                }
            }
            () = sleep_until(capture.progress.store_at()), if capture.progress.is_waiting() => {
                capture.progress.store_if_due(&stage.bus).await?;
            }
            () = sleep_until(look_at) => {
                capture.progress.look_at(source).await?;
                look_at = Instant::now() + LOOK_AT_SOURCE;
            }
            () = sleep_until(capture.due.unwrap_or_else(Instant::now)), if capture.due.is_some() => {
                capture.send_batch().await?;
            }
            entries = cursor.next() => capture.take(&entries?).await?,
        }
    }
    capture.send_batch().await?;
    if let Some(confirmed) = capture.publisher.confirm_all().await? {
        capture.progress.confirm(confirmed);
    }
    Ok(capture.progress.store(&stage.bus).await?)
}

impl Capture<'_> {
    async fn take(&mut self, entries: &OplogEntries) -> Result<(), CaptureError> {
        let record = self.phases.current();
        for raw in entries.documents(self.source)? {
            let entry = OplogEntry::parse(raw)?;
            // The first entry after a resumption is the last one stored.
            if entry.optime() <= self.covered {
                continue;
            }
            let expired = record.as_ref().is_some_and(|record| is_expiry(record, &entry));
            if expired {
                self.expiries = Expiries { last: entry.optime(), count: self.expiries.count + 1 };
            }
            self.builder.add(&entry, &if expired { Relevance::Keep } else { relevance(&entry) });
            if self.builder.raw_bytes() >= BATCH_BYTES {
                self.send_batch().await?;
            }
        }
        if !self.builder.is_empty() {
            let age = if self.is_cutover() { Duration::ZERO } else { BATCH_AGE };
            self.due.get_or_insert_with(|| Instant::now() + age);
        }
        Ok(())
    }

    fn is_cutover(&self) -> bool {
        self.phases.current().is_some_and(|record| record.phase.is_cutover())
    }

    async fn send_batch(&mut self) -> Result<(), CaptureError> {
        self.due = None;
        let namespace = self.builder.last_change_namespace();
        let Some(mut batch) = self.builder.finish() else { return Ok(()) };
        self.covered = batch.last;
        metrics::batch_sent(&batch);
        self.progress.send(&mut batch, namespace, std::mem::take(&mut self.expiries));
        if let Some(confirmed) = self.publisher.publish(&batch).await? {
            self.progress.confirm(confirmed);
        }
        Ok(())
    }
}
