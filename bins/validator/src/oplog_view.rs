//! How far the source's oplog reaches, and how fast it grows.

use bson::doc;
use mongoferry_mongo::{Cluster, MongoError, oplog_bounds};
use mongoferry_protocol::Optime;

use crate::number::number;

#[derive(Clone, Copy, Debug)]
pub(crate) struct OplogView {
    pub(crate) oldest: Optime,
    pub(crate) newest: Optime,
    /// Absent where it may not be asked for.
    pub(crate) size: Option<OplogSize>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct OplogSize {
    pub(crate) used: u64,
    pub(crate) max: u64,
}

impl OplogView {
    pub(crate) async fn of(source: &Cluster) -> Result<Self, MongoError> {
        let (oldest, newest) = oplog_bounds(source).await?;
        let stats = source.command("local", doc! {"collStats": "oplog.rs"}).await.ok();
        let size =
            stats.and_then(|stats| Some(OplogSize { used: number(&stats, "size")?, max: number(&stats, "maxSize")? }));
        Ok(Self { oldest, newest, size })
    }

    pub(crate) fn seconds(&self) -> u64 {
        u64::from(self.newest.t.saturating_sub(self.oldest.t))
    }

    /// An oplog that holds less than a second counts as one second: optimes tell no less. Absent where its size may not be
    /// asked for.
    pub(crate) fn bytes_per_second(&self) -> Option<u64> {
        Some(self.size?.used / self.seconds().max(1))
    }
}
