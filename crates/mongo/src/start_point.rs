//! Chooses where the capture of the oplog begins, so that no transaction is captured in part.
//!
//! In the order of MongoDB's own initial sync: note the newest majority entry, look for transactions that are open, and wait
//! until everything that could be seen there has reached a majority. A transaction whose end comes behind that has its first
//! entry at or after the noted one, or was seen to be open. One that ended a moment ago, prepared before the noted entry, was not
//! open any more: its end must not lie behind the start (a prepared transaction of 6.0.5 committed without a majority).

use bson::{Document, doc};
use mongoferry_protocol::{Optime, StartPoint};

use crate::{
    connection::Cluster,
    error::{Cause, MongoError},
    optimes::{first_of, last_optimes, optime, timestamp, wait_for_majority},
};

/// To be called before any document is read. Waits as long as the source confirms nothing by a majority.
pub async fn choose_start_point(cluster: &Cluster) -> Result<StartPoint, MongoError> {
    loop {
        let noted = last_optimes(cluster).await?;
        let chain_start = first_of_chain(cluster, noted.majority).await?;
        let open_start = oldest_open_transaction(cluster, noted.majority).await?;
        let seen = last_optimes(cluster).await?;
        let reached = wait_for_majority(cluster, seen.last).await?;
        // After an election, what was seen may have been taken back, and be open again.
        if noted.term == reached.term {
            let capture_from = open_start.map_or(chain_start, |open| open.min(chain_start));
            return Ok(StartPoint { capture_from, apply_after: reached.majority });
        }
    }
}

/// `at` itself, or the first entry of the chain of transaction entries that goes on behind it. A chain's optimes are
/// reserved together, so entries of others don't stand between.
pub async fn first_of_chain(cluster: &Cluster, at: Optime) -> Result<Optime, MongoError> {
    let mut first = at;
    loop {
        let entry = entry_at(cluster, first).await?;
        let is_partial = entry.get_document("o").is_ok_and(|o| o.get_bool("partialTxn").unwrap_or(false));
        if !is_partial {
            return Ok(first);
        }
        match previous_of_chain(&entry) {
            Some(previous) => first = previous,
            None => return Ok(first),
        }
    }
}

fn previous_of_chain(entry: &Document) -> Option<Optime> {
    let previous = optime(entry.get_document("prevOpTime").ok()?.get("ts")?)?;
    (previous != Optime::ZERO).then_some(previous)
}

async fn entry_at(cluster: &Cluster, at: Optime) -> Result<Document, MongoError> {
    let find = doc! {
        "find": "oplog.rs", "filter": {"ts": timestamp(at)}, "limit": 1, "singleBatch": true,
        "projection": {"ts": 1, "prevOpTime": 1, "o.partialTxn": 1},
        "readConcern": {"level": "majority"},
    };
    let reply = cluster.command("local", find).await?;
    first_of(&reply).cloned().ok_or_else(|| MongoError::Interrupted {
        cluster: cluster.hosts_label().to_owned(),
        what: "the choice of a start point".into(),
        cause: Cause::new(None, &format!("the oplog does not hold {at} any more")),
    })
}

/// The first entry of the oldest transaction that is prepared or half written, where the user may read that.
async fn oldest_open_transaction(cluster: &Cluster, noted: Optime) -> Result<Option<Optime>, MongoError> {
    let find = doc! {
        "find": "transactions",
        "filter": {"state": {"$in": ["prepared", "inProgress"]}},
        "sort": {"startOpTime.ts": 1}, "limit": 1, "singleBatch": true,
        // Majority reads here are refused by the server. What is local to the primary holds at least as much.
        "readConcern": {"level": "local", "afterClusterTime": timestamp(noted)},
    };
    match cluster.command("config", find).await {
        Ok(reply) => {
            Ok(first_of(&reply)
                .and_then(|transaction| optime(transaction.get_document("startOpTime").ok()?.get("ts")?)))
        }
        Err(MongoError::Unauthorized { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
