//! A range in hand: its record, changed by compare-and-set, so that two copiers can't both believe to have it.

use std::time::Duration;

use mongoferry_bus::{Records, WorkTicket, key};
use mongoferry_mongo::{CopyBatch, Inserted};
use mongoferry_protocol::{CopyRange, Durable, RangeProgress, RangeState, ReadOrder, now_ms};
use tokio::time::Instant;

use crate::copier_error::CopierError;

const STORE_EVERY: Duration = Duration::from_secs(1);

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

    /// Begins to read the range, perhaps again. What can't go on behind a document begins from the start.
    pub fn begin_reading(&mut self) {
        self.progress.attempts += 1;
        if self.range.order == ReadOrder::Natural {
            (self.progress.documents, self.progress.bytes) = (0, 0);
        }
        self.counted_before = u64::from(self.progress.resume.is_some());
    }

    /// Counts a batch that is durable, and everything before it.
    pub fn count(&mut self, batch: &CopyBatch, written: Durable<Inserted>) {
        let written = written.into_inner();
        self.news = true;
        self.progress.documents += written.inserted + written.duplicates - std::mem::take(&mut self.counted_before);
        self.progress.bytes += batch.bytes();
        self.progress.repeated += written.duplicates;
        if self.range.order == ReadOrder::ById
            && let Some(id) = batch.last_id()
        {
            self.progress.resume = Some(id.as_bytes().to_vec().into());
        }
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
