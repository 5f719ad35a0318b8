//! How many operations of each kind were acknowledged.

use std::sync::atomic::{AtomicU64, Ordering};

use super::operation::Operation;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub inserts: u64,
    pub updates: u64,
    pub array_changes: u64,
    pub replacements: u64,
    pub deletes: u64,
    pub transactions: u64,
    /// Unique values that changed hands.
    pub swaps: u64,
    /// Collections created, renamed or dropped.
    pub catalog_changes: u64,
}

impl Counts {
    pub fn total(&self) -> u64 {
        self.inserts
            + self.updates
            + self.array_changes
            + self.replacements
            + self.deletes
            + self.transactions
            + self.swaps
            + self.catalog_changes
    }
}

#[derive(Default)]
pub(super) struct Tally {
    operations: [AtomicU64; Operation::ALL.len()],
    catalog_changes: AtomicU64,
}

impl Tally {
    pub(super) fn add(&self, operation: Operation) {
        self.operations[operation as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn add_catalog_change(&self) {
        self.catalog_changes.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn counts(&self) -> Counts {
        let of = |operation: Operation| self.operations[operation as usize].load(Ordering::Relaxed);
        Counts {
            inserts: of(Operation::Insert),
            updates: of(Operation::Update),
            array_changes: of(Operation::ArrayChange),
            replacements: of(Operation::Replacement),
            deletes: of(Operation::Delete),
            transactions: of(Operation::Transaction),
            swaps: of(Operation::Swap),
            catalog_changes: self.catalog_changes.load(Ordering::Relaxed),
        }
    }
}
