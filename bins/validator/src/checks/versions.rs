//! MF-V09: the two versions are on a supported path, both feature compatibility versions are those of the binaries, and the
//! destination has the aggregation stage by which updates are replayed.

use bson::doc;
use mongoferry_mongo::{Cluster, ClusterFacts, MongoError, ServerVersion};
use mongoferry_protocol::Finding;

use crate::{
    check::{Check, Trouble},
    cluster_observation::{ClusterObservation, Side},
};

const OLDEST: (u32, u32) = (4, 2);
const NEWEST: (u32, u32) = (8, 0);
/// The server's code for an aggregation stage it does not know.
const NO_SUCH_STAGE: i32 = 40324;

/// Of one cluster by itself.
pub(crate) fn of_one(side: Side, facts: &ClusterFacts) -> Vec<Finding> {
    let check = Check::new("MF-V09", format!("{side}: version"));
    let version = facts.version;
    let mut findings = vec![if !version.is_at_least(OLDEST.0, OLDEST.1) {
        check.fails(Trouble::new(
            format!("version {version} is older than {}.{}, the oldest supported", OLDEST.0, OLDEST.1),
            "Its oplog and its commands differ from those this version of mongoferry knows.",
            "Upgrade it step by step to 4.2 or newer first.",
        ))
    } else if (version.major, version.minor) > NEWEST {
        check.fails(Trouble::new(
            format!("version {version} is newer than {}.{}, the newest supported", NEWEST.0, NEWEST.1),
            "It may write oplog entries that this version of mongoferry does not know.",
            "Use a newer version of mongoferry.",
        ))
    } else {
        check.passes(format!("version {version}"))
    }];
    findings.extend(feature_version(side, facts));
    findings
}

fn feature_version(side: Side, facts: &ClusterFacts) -> Option<Finding> {
    let binary = format!("{}.{}", facts.version.major, facts.version.minor);
    let fcv = facts.fcv.as_ref().filter(|fcv| **fcv != binary)?;
    Some(Check::new("MF-V09", format!("{side}: feature compatibility version")).warns(Trouble::new(
        format!("it is {fcv}, the binary's version is {binary}"),
        "An upgrade or downgrade under way changes what the server accepts, and changing it during the migration \
         stops the migration.",
        format!("Finish the upgrade first: db.adminCommand({{setFeatureCompatibilityVersion: \"{binary}\"}})."),
    )))
}

/// The destination may be newer, never older.
pub(crate) fn of_both(source: ServerVersion, destination: ServerVersion) -> Finding {
    let check = Check::new("MF-V09", "versions fit each other");
    if destination.is_at_least(source.major, source.minor) {
        return check.passes(format!("{source} to {destination}"));
    }
    check.fails(Trouble::new(
        format!("the source is {source}, the destination {destination}"),
        "An older server lacks what the newer one's documents, indexes and oplog entries may use.",
        format!("Use a destination of version {}.{} or newer.", source.major, source.minor),
    ))
}

/// Asks the destination for the stage `$_internalApplyOplogUpdate`.
pub(crate) async fn replays_updates(destination: &ClusterObservation) -> Finding {
    let check = Check::new("MF-V09", "destination: replays the oplog's updates");
    match knows_stage(&destination.cluster).await {
        Ok(true) => check.passes("$_internalApplyOplogUpdate is there"),
        Ok(false) => check.fails(Trouble::new(
            format!("version {} lacks the stage $_internalApplyOplogUpdate", destination.facts.version),
            "Updates in the source's oplog can be replayed exactly only by this stage of the server.",
            "Use a destination of 4.4.16, 5.0.11, 6.0 or newer: patch releases of the same series can be installed in \
             place.",
        )),
        Err(error) => check.fails_by(&error),
    }
}

async fn knows_stage(cluster: &Cluster) -> Result<bool, MongoError> {
    let stage = doc! {"$_internalApplyOplogUpdate": {"oplogUpdate": {"$v": 2, "diff": {"u": {"x": 1}}}}};
    let probe = doc! {"aggregate": "system.version", "pipeline": [{"$limit": 1}, stage], "cursor": {}};
    match cluster.command("admin", probe).await {
        Ok(_) => Ok(true),
        // The stages are parsed before the privilege for the collection is looked at.
        Err(MongoError::Unauthorized { .. }) => Ok(true),
        Err(error) if error.server_code() == Some(NO_SUCH_STAGE) => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use mongoferry_mongo::ServerVersion;
    use mongoferry_protocol::Severity;

    use super::of_both;

    #[test]
    fn the_destination_is_never_older() {
        let version = |major, minor, patch| ServerVersion::new(major, minor, patch);
        for (source, destination, severity) in [
            (version(6, 0, 27), version(6, 0, 5), Severity::Info),
            (version(4, 2, 6), version(8, 0, 1), Severity::Info),
            (version(6, 0, 5), version(5, 0, 30), Severity::Error),
        ] {
            assert_eq!(of_both(source, destination).severity, severity, "{source} {destination}");
        }
    }
}
