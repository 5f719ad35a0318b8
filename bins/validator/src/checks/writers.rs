//! MF-V23: nobody but us writes on the destination.

use bson::{Bson, Document, Timestamp, doc};
use mongoferry_mongo::{Cluster, MongoError};
use mongoferry_protocol::{Finding, Namespace};

use crate::{
    check::{Check, Trouble},
    cluster_observation::ClusterObservation,
};

/// How far back the destination's oplog is looked at.
const RECENT_SECONDS: u64 = 30;
const LOOKED_AT: i32 = 10_000;
const LISTED: usize = 10;

/// By the destination's newest oplog entries, and by the operations that run at this moment; as far as either is permitted.
pub(crate) async fn check(destination: &ClusterObservation) -> Finding {
    let check = Check::new("MF-V23", "destination: nobody else writes");
    let now_seconds = destination.facts.local_time_ms / 1_000;
    let (written, running) =
        tokio::join!(written(&destination.cluster, now_seconds), writing_clients(&destination.cluster));
    let (mut found, mut unseen) = (Vec::new(), Vec::new());
    match written {
        Ok(namespaces) if namespaces.is_empty() => {}
        Ok(namespaces) => found.push(format!("written within {RECENT_SECONDS} s: {}", listed(&namespaces))),
        Err(_) => unseen.push("its oplog"),
    }
    match running {
        Ok(clients) if clients.is_empty() => {}
        Ok(clients) => found.push(format!("writing right now: {}", listed(&clients))),
        Err(_) => unseen.push("the running operations"),
    }
    if !found.is_empty() {
        return check.warns(Trouble::new(
            found.join("; "),
            "What others write into namespaces of the migration makes the two sides differ, or stops it.",
            "Stop these applications until the cutover is over.",
        ));
    }
    match unseen.as_slice() {
        [] => check.passes(format!("no writes within {RECENT_SECONDS} s")),
        [_, _] => {
            check.passes("not seen: this user may look neither at the oplog nor at running operations (clusterMonitor)")
        }
        [what, ..] => check.passes(format!("no writes seen; this user may not look at {what} (clusterMonitor)")),
    }
}

/// Namespaces with recent inserts, updates and deletes.
async fn written(destination: &Cluster, now_seconds: u64) -> Result<Vec<String>, MongoError> {
    let since = u32::try_from(now_seconds.saturating_sub(RECENT_SECONDS)).unwrap_or(u32::MAX);
    let since = Timestamp { time: since, increment: 0 };
    let filter = doc! {"ts": {"$gte": since}, "op": {"$in": ["i", "u", "d", "c"]}};
    let find = doc! {
        "find": "oplog.rs", "filter": filter, "limit": LOOKED_AT, "singleBatch": true, "batchSize": LOOKED_AT,
        "projection": {"op": 1, "ns": 1, "o.applyOps.op": 1, "o.applyOps.ns": 1}, "maxTimeMS": 3_000,
    };
    let reply = destination.command("local", find).await?;
    let mut namespaces: Vec<String> = batch(&reply).flat_map(written_by).collect();
    namespaces.sort();
    namespaces.dedup();
    Ok(namespaces)
}

/// The users' namespaces of one entry, those of a transaction included.
fn written_by(entry: &Document) -> Vec<String> {
    let inner = entry.get_document("o").ok().and_then(|object| object.get_array("applyOps").ok());
    let operations = inner.into_iter().flatten().filter_map(Bson::as_document).chain([entry]);
    operations
        .filter(|operation| matches!(operation.get_str("op"), Ok("i" | "u" | "d")))
        .filter_map(|operation| operation.get_str("ns").ok())
        .filter(|namespace| {
            let database = namespace.split('.').next().unwrap_or_default();
            !Namespace::is_internal_database(database) && database != Namespace::OWN_DATABASE
        })
        .map(ToOwned::to_owned)
        .collect()
}

/// Clients other than mongoferry with a write under way, by application name and address.
async fn writing_clients(destination: &Cluster) -> Result<Vec<String>, MongoError> {
    let writes = ["insert", "update", "delete", "findAndModify", "bulkWrite", "createIndexes"];
    let named: Vec<Document> = writes.iter().map(|name| doc! {format!("command.{name}"): {"$exists": true}}).collect();
    let filter = doc! {
        "connectionId": {"$exists": true}, "active": true, "appName": {"$not": {"$regex": "^mongoferry"}},
        "effectiveUsers.user": {"$ne": "__system"}, "$or": named,
    };
    let pipeline = vec![doc! {"$currentOp": {"allUsers": true}}, doc! {"$match": filter}];
    let reply = destination.command("admin", doc! {"aggregate": 1, "pipeline": pipeline, "cursor": {}}).await?;
    let text = |operation: &Document, key: &str| operation.get_str(key).unwrap_or("unnamed").to_owned();
    let mut clients: Vec<String> = batch(&reply)
        .map(|operation| {
            format!("{} from {} on {}", text(operation, "appName"), text(operation, "client"), text(operation, "ns"))
        })
        .collect();
    clients.sort();
    clients.dedup();
    Ok(clients)
}

fn batch(reply: &Document) -> impl Iterator<Item = &Document> {
    let batch = reply.get_document("cursor").ok().and_then(|cursor| cursor.get_array("firstBatch").ok());
    batch.into_iter().flatten().filter_map(Bson::as_document)
}

fn listed(all: &[String]) -> String {
    let first = all.iter().take(LISTED).cloned().collect::<Vec<_>>().join(", ");
    match all.len().saturating_sub(LISTED) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use bson::doc;

    use super::written_by;

    #[test]
    fn only_users_documents_count() {
        let inner = |namespace: &str| doc! {"op": "i", "ns": namespace};
        for (entry, namespaces) in [
            (doc! {"op": "i", "ns": "shop.orders"}, &["shop.orders"][..]),
            (doc! {"op": "n", "ns": ""}, &[]),
            (doc! {"op": "u", "ns": "config.system.sessions"}, &[]),
            (doc! {"op": "c", "ns": "shop.$cmd", "o": {"dropDatabase": 1}}, &[]),
            (
                doc! {"op": "c", "ns": "admin.$cmd", "o": {"applyOps": [inner("a.b"), inner("mongoferry.lanes")]}},
                &["a.b"],
            ),
        ] {
            assert_eq!(written_by(&entry), namespaces, "{entry}");
        }
    }
}
