//! The unit in which oplog entries travel from the oplog-tailer to the applier.

use serde::{Deserialize, Serialize};

use crate::{CaptureProgress, Optime};

/// Consecutive entries of the source's oplog. Batches form a chain: each names the last optime of the one before it, so a
/// reader sees any hole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OplogBatch {
    /// `last` of the batch before; [`Optime::ZERO`] in a migration's first batch.
    pub previous: Optime,
    /// The first entry covered, kept or not.
    pub first: Optime,
    /// The last entry covered, kept or not.
    pub last: Optime,
    /// Wall time of the last entry covered, in milliseconds since 1970, by the source's clock.
    pub last_wall_ms: u64,
    /// The last entry covered that is a user's change on a migrated database; [`Optime::ZERO`] if there is none.
    pub last_change: Optime,
    /// Entries covered, of which `entries` holds those that matter to the applier.
    pub entry_count: u32,
    /// Length in bytes of `entries` once decompressed.
    pub raw_bytes: u32,
    /// Raw BSON documents, one behind the other, in oplog order; lz4 block format.
    #[serde(with = "serde_bytes")]
    pub entries: Vec<u8>,
    /// All that is captured once this batch is stored: the record follows later, and a tailer that was killed in between goes on
    /// from here. Not known to batches of earlier versions.
    #[serde(default)]
    pub progress: Option<CaptureProgress>,
}
