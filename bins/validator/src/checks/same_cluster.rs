//! MF-V10: source and destination are two clusters, and those that the migration began with. Pure.

use mongoferry_protocol::{ClusterIdentity, Finding, MigrationSettings};

use crate::{
    check::{Check, Trouble},
    cluster_observation::Side,
};

pub(crate) fn two_clusters(source: &ClusterIdentity, destination: &ClusterIdentity) -> Finding {
    let check = Check::new("MF-V10", "source and destination are two clusters");
    if !source.is_same_cluster(destination) {
        return check.passes(format!("{} and {}", shown(source), shown(destination)));
    }
    check.fails(Trouble::new(
        format!("both are {}", shown(source)),
        "A cluster can't be migrated into itself.",
        "Name another cluster as the source or as the destination.",
    ))
}

/// For a migration that goes on: whether this is the cluster of its settings.
pub(crate) fn as_before(side: Side, settings: &MigrationSettings, now: &ClusterIdentity) -> Finding {
    let check = Check::new("MF-V10", format!("{side}: the cluster the migration began with"));
    let before = match side {
        Side::Source => &settings.source,
        Side::Destination => &settings.destination,
    };
    if now.is_same_cluster(before) {
        return check.passes(shown(now));
    }
    check.fails(Trouble::new(
        format!(
            "it is {}, but the state of another migration was found: {} began with {}",
            shown(now),
            settings.id,
            shown(before)
        ),
        "Going on would mix two migrations.",
        format!(
            "Name the {side} that {} began with, or begin another migration with another --id and --state-dir.",
            settings.id
        ),
    ))
}

fn shown(cluster: &ClusterIdentity) -> String {
    match &cluster.replica_set_id {
        Some(id) => format!("{}/{} ({id})", cluster.replica_set, cluster.hosts.join(",")),
        None => format!("{}/{}", cluster.replica_set, cluster.hosts.join(",")),
    }
}
