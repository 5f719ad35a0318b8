//! MF-V09: the two versions are on a supported path, both feature compatibility versions are those of the binaries, and how the
//! destination replays updates.

use mongoferry_mongo::{ClusterFacts, DeltaForm, ServerVersion, delta_form};
use mongoferry_protocol::Finding;

use crate::{
    check::{Check, Trouble},
    cluster_observation::{ClusterObservation, Side},
};

const OLDEST: (u32, u32) = (4, 2);
const NEWEST: (u32, u32) = (8, 0);

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

/// The destination may be newer, or as old as the source still pretends to be: its feature compatibility version keeps it
/// from writing what that version lacks.
pub(crate) fn of_both(source: &ClusterFacts, destination: ServerVersion) -> Finding {
    let check = Check::new("MF-V09", "versions fit each other");
    let path = format!("{} to {destination}", source.version);
    if destination.is_at_least(source.version.major, source.version.minor) {
        return check.passes(path);
    }
    let fcv = source.fcv.as_deref().unwrap_or_default();
    if matches!(fcv, "4.2" | "4.4") && fcv == format!("{}.{}", destination.major, destination.minor) {
        return check.passes(format!("{path}: the source's feature compatibility version is {fcv}; leave it so"));
    }
    check.fails(Trouble::new(
        format!("the source is {}, the destination {destination}", source.version),
        "An older server lacks what the newer one's documents, indexes and oplog entries may use.",
        format!("Use a destination of version {}.{} or newer.", source.version.major, source.version.minor),
    ))
}

/// How updates of the source are replayed; each way ends with the same bytes.
pub(crate) async fn replays_updates(destination: &ClusterObservation) -> Finding {
    let check = Check::new("MF-V09", "destination: replays the oplog's updates");
    let version = destination.facts.version;
    match delta_form(&destination.cluster).await {
        Ok(DeltaForm::Stage) => check.passes("by $_internalApplyOplogUpdate"),
        Ok(DeltaForm::Pipeline) => check.passes(format!(
            "version {version}: by operators and pipelines; documents that these can't treat exactly are read from the source again"
        )),
        Ok(DeltaForm::Reread) => check.passes(format!(
            "version {version}: by operators where whole fields are set or removed; other updated documents are read from the \
             source again, as pipelines may abort a server before 6.0.17. A newer patch release replays faster"
        )),
        Err(error) => check.fails_by(&error),
    }
}

#[cfg(test)]
mod tests {
    use mongoferry_mongo::{ClusterFacts, ServerVersion, Topology};
    use mongoferry_protocol::Severity;

    use super::of_both;

    fn source(version: (u32, u32), fcv: &str) -> ClusterFacts {
        ClusterFacts {
            version: ServerVersion::new(version.0, version.1, 4),
            fcv: Some(fcv.into()),
            topology: Topology::ReplicaSetPrimary,
            set_name: Some("rs".into()),
            hosts: vec!["a:1".into()],
            me: None,
            primary: None,
            writable: true,
            max_wire_version: 13,
            local_time_ms: 0,
            storage_engine: None,
        }
    }

    #[test]
    fn the_destination_is_older_only_where_the_source_holds_back() {
        for (version, fcv, destination, severity) in [
            ((6, 0), "6.0", (6, 0), Severity::Info),
            ((4, 2), "4.2", (8, 0), Severity::Info),
            ((6, 0), "6.0", (5, 0), Severity::Error),
            ((5, 0), "4.4", (4, 4), Severity::Info),
            ((4, 4), "4.2", (4, 2), Severity::Info),
            ((5, 0), "5.0", (4, 4), Severity::Error),
            ((6, 0), "5.0", (5, 0), Severity::Error),
        ] {
            let destination = ServerVersion::new(destination.0, destination.1, 0);
            assert_eq!(of_both(&source(version, fcv), destination).severity, severity, "{version:?} {destination}");
        }
    }
}
