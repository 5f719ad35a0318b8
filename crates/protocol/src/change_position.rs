//! A position within the oplog finer than an entry: one entry (a transaction) can hold many changes.

use serde::{Deserialize, Serialize};

use crate::Optime;

/// The change number `index` (from 0) of the entry, or of the transaction that commits, at `optime`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ChangePosition {
    pub optime: Optime,
    pub index: u32,
}

impl ChangePosition {
    pub const fn new(optime: Optime, index: u32) -> Self {
        Self { optime, index }
    }

    /// Behind every change of the entry at `optime`, before the next entry.
    pub const fn end_of(optime: Optime) -> Self {
        Self { optime, index: u32::MAX }
    }
}
