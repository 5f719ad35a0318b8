//! How far comparing again has come, shared between the one who compares and the one who reports.

use std::sync::Mutex;

use mongoferry_protocol::{Comparison, ComparisonState, Difference, Remark};

/// Of differing documents.
const LISTED: usize = 100;

pub(super) struct Tally {
    record: Mutex<Comparison>,
}

impl Tally {
    pub(super) fn of(order: Comparison) -> Self {
        Self { record: Mutex::new(order) }
    }

    /// What was found by an attempt that failed is found again.
    pub(super) fn begin(&self) {
        self.with(|record| {
            (record.looked_at, record.differing_count) = (0, 0);
            record.differing.clear();
            record.remarks.clear();
        });
    }

    pub(super) fn look_at(&self, documents: usize) {
        self.with(|record| record.looked_at += documents as u64);
    }

    pub(super) fn repaired(&self, documents: u64) {
        self.with(|record| record.repaired += documents);
    }

    pub(super) fn differs(&self, difference: Difference) {
        self.with(|record| {
            record.differing_count += 1;
            if record.differing.len() < LISTED {
                record.differing.push(difference);
            }
        });
    }

    /// Of documents that nobody looked at one by one.
    pub(super) fn more_differ(&self, documents: u64) {
        self.with(|record| record.differing_count += documents);
    }

    pub(super) fn remark(&self, remark: Remark) {
        self.with(|record| {
            if !record.remarks.contains(&remark) {
                record.remarks.push(remark);
            }
        });
    }

    pub(super) fn finish(&self) {
        self.with(|record| {
            let is_equal = record.differing_count == 0;
            record.state = if is_equal { ComparisonState::Equal } else { ComparisonState::Different };
        });
    }

    /// Before its end, for this reason.
    pub(super) fn stop(&self, reason: Remark) {
        self.remark(reason);
        self.with(|record| record.state = ComparisonState::Stopped);
    }

    pub(super) fn record(&self) -> Comparison {
        self.with(|record| record.clone())
    }

    fn with<T>(&self, change: impl FnOnce(&mut Comparison) -> T) -> T {
        change(&mut self.record.lock().expect("no panic while the tally is locked"))
    }
}
