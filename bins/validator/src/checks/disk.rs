//! MF-V13: the destination's disk has room for the source's data and indexes, and for the oplog written meanwhile.

use bson::doc;
use mongoferry_mongo::{Cluster, MongoError};
use mongoferry_protocol::{DropTarget, Estimates, Finding};

use crate::{
    check::{Check, Trouble},
    cluster_observation::ClusterObservation,
    format_size::bytes,
    number::number,
};

/// What is `to_drop` gives its disk back before anything is copied.
pub(crate) async fn check(estimates: &Estimates, destination: &ClusterObservation, to_drop: &[DropTarget]) -> Finding {
    let check = Check::new("MF-V13", "destination: disk");
    let free = match free_bytes(&destination.cluster).await {
        Ok(free) => free,
        Err(error) => return check.unanswered(&error),
    };
    match (estimates.destination_disk_bytes, free) {
        (Some(needed), Some(free)) => {
            let given_back: u64 = to_drop.iter().map(|target| target.disk_bytes).sum();
            judge(&check, needed, free.saturating_add(given_back))
        }
        (Some(needed), None) => check.warns(Trouble::new(
            format!("the server does not say how much is free; {} are needed", bytes(needed)),
            "If the disk fills up, the migration stops.",
            "Make sure by other means that the destination has as much room, and some more.",
        )),
        (None, _) => check.warns(Trouble::new(
            "the source's sizes could not be read",
            "If the destination's disk fills up, the migration stops.",
            "Grant the user dbStats on the source, or compare the disks by other means.",
        )),
    }
}

fn judge(check: &Check, needed: u64, free: u64) -> Finding {
    let found = format!("{} free, about {} needed", bytes(free), bytes(needed));
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

async fn free_bytes(destination: &Cluster) -> Result<Option<u64>, MongoError> {
    let stats = destination.command("admin", doc! {"dbStats": 1}).await?;
    let total = number(&stats, "fsTotalSize").unwrap_or(0);
    Ok((total > 0).then(|| total.saturating_sub(number(&stats, "fsUsedSize").unwrap_or(0))))
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
