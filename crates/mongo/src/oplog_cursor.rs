//! The tail of the source's oplog, in order and without holes, and only what a majority has.
//!
//! Opening requires that the wanted entry is still there: a plain query would silently begin later.

use std::time::{Duration, Instant};

use bson::{RawDocument, RawDocumentBuf, doc};
use futures_util::StreamExt;
use mongodb::{
    Collection,
    options::{CursorType, ReadConcern},
    raw_batch_cursor::{RawBatch, RawBatchCursor},
};
use mongoferry_protocol::Optime;

use crate::{
    connection::Cluster,
    error::{Cause, MongoError},
    optimes::{last_optimes, oldest_entry, timestamp},
};

const WHAT: &str = "find on local.oplog.rs";

/// A tailable cursor; dropped, it is closed on the server.
pub struct OplogCursor {
    cluster: Cluster,
    cursor: RawBatchCursor,
    /// The reply that opening looked into.
    first: Option<OplogEntries>,
}

/// Consecutive entries as the server sent them. Empty if nothing came within the wait.
pub struct OplogEntries(RawBatch);

impl OplogCursor {
    /// How long the server waits for new entries before it answers with an empty batch.
    pub const AWAIT: Duration = Duration::from_secs(1);
    const BATCH_SIZE: u32 = 5_000;
    const FIRST_ATTEMPTS: u32 = 5;
    /// How long the source may take to have the wanted entry on a majority (it had it once already).
    const MAJORITY_PATIENCE: Duration = Duration::from_secs(30);

    /// Opens at `from`, which becomes the first entry returned. Fails with [`MongoError::RolledOff`] if it is gone.
    pub async fn open(cluster: &Cluster, from: Optime) -> Result<Self, MongoError> {
        await_majority(cluster, from).await?;
        let oplog: Collection<RawDocumentBuf> = cluster.database("local").collection("oplog.rs");
        let cursor = oplog
            .find(doc! {"ts": {"$gte": timestamp(from)}})
            .cursor_type(CursorType::TailableAwait)
            .max_await_time(Self::AWAIT)
            .batch_size(Self::BATCH_SIZE)
            .read_concern(ReadConcern::majority())
            .batch()
            .await
            .map_err(|error| cluster.explain(WHAT, &error))?;
        let mut opened = Self { cluster: cluster.clone(), cursor, first: None };
        let first = opened.first_entries().await?;
        if first.first_optime(cluster)? != Some(from) {
            return Err(missing(cluster, from).await?);
        }
        opened.first = Some(first);
        Ok(opened)
    }

    /// A member may say that an entry is on a majority a moment before its readers see that.
    async fn first_entries(&mut self) -> Result<OplogEntries, MongoError> {
        for _ in 0..Self::FIRST_ATTEMPTS {
            let entries = self.next().await?;
            if entries.first_optime(&self.cluster)?.is_some() {
                return Ok(entries);
            }
        }
        self.next().await
    }

    /// The next entries, or an empty batch after [`Self::AWAIT`]. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Result<OplogEntries, MongoError> {
        if let Some(first) = self.first.take() {
            return Ok(first);
        }
        match self.cursor.next().await {
            Some(Ok(batch)) => Ok(OplogEntries(batch)),
            Some(Err(error)) => Err(self.cluster.explain(WHAT, &error)),
            None => Err(MongoError::CursorLost {
                cluster: self.cluster.hosts_label().to_owned(),
                what: WHAT.into(),
                cause: Cause::new(None, "the server ended the tailable cursor"),
            }),
        }
    }
}

impl OplogEntries {
    /// The entries, borrowed from the server's reply.
    pub fn documents(&self, cluster: &Cluster) -> Result<Vec<&RawDocument>, MongoError> {
        let malformed = |error: &dyn std::fmt::Display| cluster.unexpected(WHAT, error);
        let array = self.0.doc_slices().map_err(|error| malformed(&error.kind))?;
        array
            .into_iter()
            .map(|entry| {
                let entry = entry.map_err(|error| malformed(&error))?;
                entry.as_document().ok_or_else(|| malformed(&"an entry that is no document"))
            })
            .collect()
    }

    /// The optime of the first entry, if there is any.
    fn first_optime(&self, cluster: &Cluster) -> Result<Option<Optime>, MongoError> {
        let documents = self.documents(cluster)?;
        let Some(entry) = documents.first() else {
            return Ok(None);
        };
        let ts = entry.get_timestamp("ts").map_err(|error| cluster.unexpected(WHAT, error))?;
        Ok(Some(Optime::new(ts.time, ts.increment)))
    }
}

/// A query beyond the majority point would be answered with an empty batch, which looks like a lost entry.
async fn await_majority(cluster: &Cluster, wanted: Optime) -> Result<(), MongoError> {
    let patience = Instant::now() + OplogCursor::MAJORITY_PATIENCE;
    while last_optimes(cluster).await?.majority < wanted {
        if Instant::now() > patience {
            return Err(missing(cluster, wanted).await?);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}

async fn missing(cluster: &Cluster, wanted: Optime) -> Result<MongoError, MongoError> {
    let majority = last_optimes(cluster).await?.majority;
    let oldest = oldest_entry(cluster).await?;
    Ok(why_missing(cluster.hosts_label(), wanted, oldest, majority))
}

/// What a source that has not confirmed the entry (again) may still do is no proof of another history.
fn why_missing(cluster: &str, wanted: Optime, oldest: Optime, majority: Optime) -> MongoError {
    let cluster = cluster.to_owned();
    if oldest > wanted {
        return MongoError::RolledOff { cluster, wanted, oldest };
    }
    if majority < wanted {
        let cause = Cause::new(None, &format!("its members agree up to {majority} only"));
        return MongoError::NotConfirmed { cluster, what: format!("the oplog entry {wanted}"), cause };
    }
    MongoError::OtherHistory { cluster, wanted }
}

#[cfg(test)]
mod tests {
    use mongoferry_protocol::{Explain, Optime, Retry};

    use super::why_missing;
    use crate::error::MongoError;

    /// GIVEN an entry that can't be read WHEN the source has not confirmed anything as new yet THEN it is tried again, and only
    /// behind it the entry is known to be missing.
    #[test]
    fn only_a_confirmed_history_is_another_one() {
        let at = |t| Optime::new(t, 1);
        let why = |oldest, majority| why_missing("old:27017", at(10), at(oldest), at(majority));
        assert!(matches!(why(11, 20), MongoError::RolledOff { .. }));
        assert!(matches!(why(11, 9), MongoError::RolledOff { .. }));
        assert!(matches!(why(5, 9), MongoError::NotConfirmed { .. }));
        assert_eq!(why(5, 9).retry(), Retry::Soon);
        assert!(matches!(why(5, 10), MongoError::OtherHistory { .. }));
        assert!(matches!(why(10, 20), MongoError::OtherHistory { .. }));
    }
}
