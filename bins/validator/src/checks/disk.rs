//! MF-V13: the destination's disk has room for the source's data and indexes.

use std::collections::BTreeSet;

use bson::{Bson, Document, doc};
use futures_util::future::try_join_all;
use mongoferry_mongo::{Cluster, MongoError};
use mongoferry_protocol::Finding;

use crate::{
    check::{Check, Trouble},
    cluster_observation::ClusterObservation,
    format_size::bytes,
};

pub(crate) async fn check(source: &ClusterObservation, destination: &ClusterObservation) -> Finding {
    let check = Check::new("MF-V13", "destination: disk");
    let (needed, free) = match tokio::try_join!(needed_bytes(source), free_bytes(&destination.cluster)) {
        Ok((needed, Some(free))) => (needed, free),
        Ok((needed, None)) => {
            return check.warns(Trouble::new(
                format!("the server does not say how much is free; the source takes {}", bytes(needed)),
                "If the disk fills up, the migration stops.",
                "Make sure by other means that the destination has as much room, and some more.",
            ));
        }
        Err(error) => return check.unanswered(&error),
    };
    judge(&check, needed, free)
}

fn judge(check: &Check, needed: u64, free: u64) -> Finding {
    let found = format!("{} free, {} used on the source's disk", bytes(free), bytes(needed));
    let reason = "If the disk fills up, the migration stops, and the destination may stop with it.";
    let remedy = format!("Give the destination's disk at least {} of free space.", bytes(needed / 2 * 3));
    if free < needed {
        check.fails(Trouble::new(found, reason, remedy))
    } else if free < needed / 2 * 3 {
        check.warns(Trouble::new(found, reason, remedy))
    } else {
        check.passes(found)
    }
}

/// What the users' databases of the source take on its disk, indexes included.
async fn needed_bytes(source: &ClusterObservation) -> Result<u64, MongoError> {
    let listing = source.catalog.iter().flat_map(|catalog| catalog.collections.iter().chain(&catalog.time_series));
    let databases: BTreeSet<&str> = listing.map(|info| info.namespace.database()).collect();
    let stats = databases.into_iter().map(|database| source.cluster.command(database, doc! {"dbStats": 1}));
    let stats = try_join_all(stats).await?;
    Ok(stats.iter().map(|stats| number(stats, "storageSize") + number(stats, "indexSize")).sum())
}

async fn free_bytes(destination: &Cluster) -> Result<Option<u64>, MongoError> {
    let stats = destination.command("admin", doc! {"dbStats": 1}).await?;
    let total = number(&stats, "fsTotalSize");
    Ok((total > 0).then(|| total.saturating_sub(number(&stats, "fsUsedSize"))))
}

fn number(document: &Document, key: &str) -> u64 {
    match document.get(key) {
        Some(Bson::Int32(value)) => u64::try_from(*value).unwrap_or(0),
        Some(Bson::Int64(value)) => u64::try_from(*value).unwrap_or(0),
        Some(Bson::Double(value)) => *value as u64,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use mongoferry_protocol::Severity;

    use super::judge;
    use crate::check::Check;

    #[test]
    fn too_small_is_an_error_and_tight_a_warning() {
        let check = Check::new("MF-V13", "disk");
        for (needed, free, severity) in [
            (100, 99, Severity::Error),
            (100, 149, Severity::Warning),
            (100, 150, Severity::Info),
            (0, 0, Severity::Info),
        ] {
            assert_eq!(judge(&check, needed, free).severity, severity, "{needed} {free}");
        }
    }
}
