//! Where a cluster's oplog stands: its last and majority entries, its oldest, and notes written into it.

use std::time::{Duration, Instant};

use bson::{Bson, Document, Timestamp, doc};
use mongoferry_protocol::Optime;

use crate::{connection::Cluster, error::MongoError};

const NOTE_MS: i32 = 5_000;
const STANDSTILL: Duration = Duration::from_secs(15);

/// The newest entries of the primary, by `hello.lastWrite`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastOptimes {
    pub last: Optime,
    /// Wall time of that entry, in milliseconds since 1970 (whole seconds, as the server reports it).
    pub last_wall_ms: u64,
    /// The newest entry that can't be rolled back.
    pub majority: Optime,
    pub majority_wall_ms: u64,
    /// The election term of the majority entry.
    pub term: i64,
}

/// Asks the primary; any user may.
pub async fn last_optimes(cluster: &Cluster) -> Result<LastOptimes, MongoError> {
    // `hello` is unknown before 4.4.2.
    let reply = cluster.command("admin", doc! {"isMaster": 1}).await?;
    parse_last_write(&reply).ok_or_else(|| match is_of_a_set(&reply) {
        // A new primary tells no majority until its first entry is on one, and so do servers for a moment of a reconfiguration.
        true => cluster.interrupted("hello", "nothing is on a majority yet"),
        false => cluster.unexpected("hello", "no lastWrite: not a member of a replica set"),
    })
}

fn is_of_a_set(reply: &Document) -> bool {
    reply.contains_key("setName") || reply.get_bool("isreplicaset").unwrap_or(false)
}

fn parse_last_write(reply: &Document) -> Option<LastOptimes> {
    let last_write = reply.get_document("lastWrite").ok()?;
    let majority = last_write.get_document("majorityOpTime").ok()?;
    Some(LastOptimes {
        last: optime(last_write.get_document("opTime").ok()?.get("ts")?)?,
        last_wall_ms: wall_ms(last_write.get("lastWriteDate")?)?,
        majority: optime(majority.get("ts")?)?,
        majority_wall_ms: wall_ms(last_write.get("majorityWriteDate")?)?,
        term: majority.get_i64("t").ok()?,
    })
}

/// The oldest and newest entries that the oplog holds now. The newest may still be rolled back.
pub async fn oplog_bounds(cluster: &Cluster) -> Result<(Optime, Optime), MongoError> {
    Ok((oplog_end(cluster, 1).await?, oplog_end(cluster, -1).await?))
}

pub(crate) async fn oldest_entry(cluster: &Cluster) -> Result<Optime, MongoError> {
    oplog_end(cluster, 1).await
}

/// The oldest entry may be truncated while it is being read; then there is a next one.
async fn oplog_end(cluster: &Cluster, direction: i32) -> Result<Optime, MongoError> {
    let find = doc! {
        "find": "oplog.rs", "sort": {"$natural": direction}, "limit": 1, "singleBatch": true, "projection": {"ts": 1},
    };
    let reply = loop {
        match cluster.command("local", find.clone()).await {
            Err(MongoError::CursorLost { .. }) => {}
            reply => break reply?,
        }
    };
    first_of(&reply)
        .and_then(|entry| optime(entry.get("ts")?))
        .ok_or_else(|| cluster.unexpected("find on local.oplog.rs", "no entry with ts"))
}

/// Writes a no-op into the oplog, confirmed by a majority. Returns its optime, or `None` if the user may not.
/// [`MongoError::NotConfirmed`] if no majority has it within 5 s.
pub async fn append_note(cluster: &Cluster, note: Document) -> Result<Option<Optime>, MongoError> {
    let command = doc! {"appendOplogNote": 1, "data": note, "writeConcern": {"w": "majority", "wtimeout": NOTE_MS}};
    match cluster.command("admin", command).await {
        Ok(reply) => {
            // The primary's last entry after the note; the note itself or a later one.
            let optime =
                operation_time(&reply).ok_or_else(|| cluster.unexpected("appendOplogNote", "no operationTime"))?;
            Ok(Some(optime))
        }
        Err(MongoError::Unauthorized { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Waits until `reached` is on a majority, asking ten times a second. Returns the optimes that showed it;
/// [`MongoError::NotConfirmed`] if for 15 s a majority gets no further: it may be away for hours, and whoever waits has to tell.
pub async fn wait_for_majority(cluster: &Cluster, reached: Optime) -> Result<LastOptimes, MongoError> {
    let (mut seen, mut since) = (Optime::ZERO, Instant::now());
    loop {
        let now = last_optimes(cluster).await?;
        if now.majority >= reached {
            return Ok(now);
        }
        if now.majority > seen {
            (seen, since) = (now.majority, Instant::now());
        }
        if since.elapsed() > STANDSTILL {
            let detail = format!("a majority has {} by now", now.majority);
            return Err(cluster.not_confirmed(&format!("wait for {reached} on a majority"), &detail));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// The `operationTime` that every reply of a replica set carries.
pub(crate) fn operation_time(reply: &Document) -> Option<Optime> {
    optime(reply.get("operationTime")?)
}

/// The first document of a cursor reply.
pub(crate) fn first_of(reply: &Document) -> Option<&Document> {
    reply.get_document("cursor").ok()?.get_array("firstBatch").ok()?.first()?.as_document()
}

pub(crate) fn optime(value: &Bson) -> Option<Optime> {
    value.as_timestamp().map(|ts| Optime::new(ts.time, ts.increment))
}

pub(crate) fn timestamp(optime: Optime) -> Timestamp {
    Timestamp { time: optime.t, increment: optime.i }
}

fn wall_ms(value: &Bson) -> Option<u64> {
    value.as_datetime().map(|date| date.timestamp_millis().max(0) as u64)
}
