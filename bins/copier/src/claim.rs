//! A range in hand: its record, changed by compare-and-set, so that two copiers can't both believe to have it.

use std::time::Duration;

use mongoferry_bus::{Records, WorkTicket, key};
use mongoferry_mongo::{CopyBatch, Inserted};
use mongoferry_protocol::{CopyRange, Durable, RangeProgress, RangeState, ReadOrder, now_ms};
use tokio::time::Instant;

use crate::copier_error::CopierError;

const STORE_EVERY: Duration = Duration::from_secs(1);
/// Longer than a read or a write takes before it is given up: who needs more hangs.
const GETS_ON_WITHIN: Duration = Duration::from_secs(60);

pub struct Claim<'a> {
    pub range: &'a CopyRange,
    pub progress: RangeProgress,
    records: &'a Records,
    pub ticket: &'a WorkTicket,
    revision: u64,
    stored_at: Instant,
    /// Something was counted since.
    news: bool,
    /// Documents at the beginning that were counted before: the one a resumed range begins with.
    counted_before: u64,
}

impl<'a> Claim<'a> {
    /// Takes the range for `copier`; `None` if it is done already.
    pub async fn take(
        records: &'a Records,
        ticket: &'a WorkTicket,
        range: &'a CopyRange,
        copier: &str,
    ) -> Result<Option<Self>, CopierError> {
        let key = key::range(range.collection, range.number);
        let known = records.get(&key).await?;
        if known.as_ref().is_some_and(|known| known.value.state == RangeState::Done) {
            return Ok(None);
        }
        let mut progress = known.as_ref().map(|known| known.value.clone()).unwrap_or_default();
        progress.state = RangeState::Copying;
        copier.clone_into(&mut progress.copier);
        if progress.attempts == 0 {
            progress.started_at_ms = now_ms();
        }
        let revision = match known {
            Some(known) => records.update(&key, &progress, known.revision).await?,
            None => records.create(&key, &progress).await?,
        };
        let revision = revision.ok_or_else(|| lost(range))?;
        Ok(Some(Self {
            range,
            progress,
            records,
            ticket,
            revision,
            stored_at: Instant::now(),
            news: false,
            counted_before: 0,
        }))
    }

    /// To be asked right before each write: a copier that lost its range and wakes late could bring back a document that
    /// was deleted meanwhile.
    pub fn check(&self) -> Result<(), CopierError> {
        if self.ticket.still_held() { Ok(()) } else { Err(lost(self.range)) }
    }

    /// Begins to read the range, perhaps again.
    pub fn begin_attempt(&mut self) {
        self.progress.attempts += 1;
        self.gets_on();
    }

    /// Reads where the range stood, if `resumed`, or all of it.
    pub fn begin_reading(&mut self, resumed: bool) {
        if !resumed {
            (self.progress.documents, self.progress.bytes, self.progress.resume) = (0, 0, None);
        }
        // In storage order nothing is read again.
        self.counted_before = u64::from(resumed && self.range.order == ReadOrder::ById);
    }

    /// Whoever hangs now loses the range.
    pub fn gets_on(&self) {
        self.ticket.expect_progress_within(Some(GETS_ON_WITHIN));
    }

    /// It may take any time until this goes on.
    pub fn rests(&self) {
        self.ticket.expect_progress_within(None);
    }

    /// Counts a batch that is durable, and everything before it.
    pub fn count(&mut self, batch: &CopyBatch, written: Durable<Inserted>) {
        let written = written.into_inner();
        self.gets_on();
        self.news = true;
        self.progress.documents += written.inserted + written.duplicates - std::mem::take(&mut self.counted_before);
        self.progress.bytes += batch.bytes();
        self.progress.repeated += written.duplicates;
        self.progress.resume = batch.resume_at().map(|point| point.as_bytes().to_vec().into());
    }

    pub async fn store_if_due(&mut self) -> Result<(), CopierError> {
        if self.news && self.stored_at.elapsed() >= STORE_EVERY { self.store().await } else { Ok(()) }
    }

    pub async fn store(&mut self) -> Result<(), CopierError> {
        self.progress.updated_at_ms = now_ms();
        let key = key::range(self.range.collection, self.range.number);
        let revision = self.records.update(&key, &self.progress, self.revision).await?;
        self.revision = revision.ok_or_else(|| lost(self.range))?;
        self.stored_at = Instant::now();
        self.news = false;
        Ok(())
    }

    pub async fn done(&mut self) -> Result<(), CopierError> {
        self.progress.state = RangeState::Done;
        self.store().await
    }
}

fn lost(range: &CopyRange) -> CopierError {
    CopierError::RangeLost { collection: range.collection, number: range.number }
}
