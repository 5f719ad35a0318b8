//! What a migration has before it: the source's content as it was at validation, and what follows from its size.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Inventory {
    /// Sorted by name.
    pub databases: Vec<DatabaseInventory>,
    /// Collections and views, sorted by namespace.
    pub collections: Vec<CollectionInventory>,
    pub estimates: Estimates,
    pub not_copied: NotCopied,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct DatabaseInventory {
    pub name: String,
    pub collections: u64,
    pub views: u64,
    pub documents: u64,
    /// Uncompressed documents.
    pub bytes: u64,
    /// On the source's disk; zero where the server does not say.
    pub index_bytes: u64,
    pub indexes: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct CollectionInventory {
    pub namespace: String,
    /// `collection`, `view`, `time-series`, `capped`, `clustered`.
    pub kind: String,
    pub documents: u64,
    /// Uncompressed documents.
    pub bytes: u64,
    pub indexes: u64,
    /// Into how many ranges the copy divides it. An estimate: the division is drawn from a sample.
    pub ranges: u64,
}

/// Coarse: for choosing disks and a time, not for promises.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Estimates {
    /// Of copying and building indexes, at a cautious rate.
    pub copy_seconds: u64,
    /// What the source writes to its oplog now; absent where that can't be told.
    pub oplog_bytes_per_second: Option<u64>,
    /// Oplog entries written while the copy runs, which the bus keeps: the disk needed there, with a reserve.
    pub bus_disk_bytes: Option<u64>,
    /// Documents and indexes as they are on the source's disk, and what is written meanwhile: the disk needed there.
    pub destination_disk_bytes: Option<u64>,
}

/// What stays behind, where it could be counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct NotCopied {
    pub users: Option<u64>,
    /// Roles that someone defined.
    pub roles: Option<u64>,
    pub search_indexes: Option<u64>,
    /// Collections of the database `config`.
    pub config_collections: Option<u64>,
    /// Collections `system.profile`.
    pub profiler_collections: u64,
}
