//! Chooses where the capture of the oplog begins, so that no transaction is captured in part.
//!
//! In the order of MongoDB's own initial sync: note the newest majority entry, look for transactions that are open,
//! note the newest majority entry again. A transaction open at the second has its first entry at or after the first,
//! or was seen in between.

use bson::{Document, doc};
use mongoferry_protocol::{Optime, StartPoint};

use crate::{
    connection::Cluster,
    error::{Cause, MongoError},
    optimes::{first_of, last_optimes, optime, timestamp},
};

/// To be called before any document is read.
pub async fn choose_start_point(cluster: &Cluster) -> Result<StartPoint, MongoError> {
    let noted = last_optimes(cluster).await?.majority;
    let chain_start = first_of_chain(cluster, noted).await?;
    let open_start = oldest_open_transaction(cluster, noted).await?;
    let apply_after = last_optimes(cluster).await?.majority;
    Ok(StartPoint { capture_from: open_start.map_or(chain_start, |open| open.min(chain_start)), apply_after })
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
