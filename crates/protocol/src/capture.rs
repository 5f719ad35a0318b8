//! Where the capture of the oplog began, and how far it has come.

use serde::{Deserialize, Serialize};

use crate::{Namespace, Optime};

/// Chosen once by the oplog-tailer, before any document is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartPoint {
    /// The first entry captured: no transaction that was open at `apply_after` has an earlier one.
    pub capture_from: Optime,
    /// Every document is read at or after this optime; entries up to it are not applied (but feed open transactions).
    pub apply_after: Optime,
}

/// Written by the oplog-tailer after the bus has stored what it describes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaptureProgress {
    /// Stored on the bus up to and including this entry.
    pub captured: Optime,
    /// Wall time of that entry on the source, in milliseconds since 1970.
    pub captured_wall_ms: u64,
    /// The last captured change of a user, if any; its namespace where the entry names one.
    pub last_change: Optime,
    pub last_change_namespace: Option<Namespace>,
    /// The last captured delete of documents that expired, and how many entries there were of them; counted during cutovers.
    #[serde(default)]
    pub last_expiry: Optime,
    #[serde(default)]
    pub expiries: u64,
    /// Entries captured since the migration began.
    pub entries_captured: u64,
    /// Oldest entry that the source still holds.
    pub source_oldest: Optime,
}
