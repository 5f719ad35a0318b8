//! MF-V07: the source is a replica set. MF-V08: the destination is one, and its primary takes writes. Pure.

use mongoferry_mongo::{ClusterFacts, Topology};
use mongoferry_protocol::Finding;

use crate::{
    check::{Check, Trouble},
    cluster_observation::Side,
    format_size::counted,
};

const CONVERT: &str = "Make it a replica set of one member: stop mongod; start it again with --replSet rs0 (in its \
    configuration file: replication.replSetName: rs0); run rs.initiate() in mongosh; then add replicaSet=rs0 to the \
    connection string. Data and users stay as they are.";

pub(crate) fn check(side: Side, facts: &ClusterFacts) -> Finding {
    let (check, reason) = match side {
        Side::Source => (
            Check::new("MF-V07", "source: is a replica set"),
            "Changes are read from the oplog, which only members of a replica set keep.",
        ),
        Side::Destination => (
            Check::new("MF-V08", "destination: is a writable replica-set primary"),
            "Writes are confirmed by a majority and made in transactions, which needs the primary of a replica set.",
        ),
    };
    let set = facts.set_name.as_deref().unwrap_or_default();
    match facts.topology {
        Topology::ReplicaSetPrimary if facts.writable || side == Side::Source => {
            check.passes(format!("{set}, {}", counted(facts.hosts.len() as u64, "member")))
        }
        Topology::Standalone => check.fails(Trouble::new("it is a standalone server", reason, CONVERT)),
        Topology::Mongos => check.fails(Trouble::new(
            "it is a mongos of a sharded cluster",
            "This version migrates from replica set to replica set.",
            "Name a replica set. Sharded clusters can't be migrated with this version.",
        )),
        Topology::ReplicaSetPrimary | Topology::ReplicaSetSecondary | Topology::ReplicaSetOther => {
            let primary = facts.primary.as_deref().unwrap_or("none at the moment");
            check.fails(Trouble::new(
                format!("it is a member of {set} that takes no writes; the primary is {primary}"),
                reason,
                format!("Remove directConnection=true from the connection string and add replicaSet={set}."),
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use mongoferry_mongo::{ClusterFacts, ServerVersion, Topology};
    use mongoferry_protocol::Severity;

    use super::check;
    use crate::cluster_observation::Side;

    #[test]
    fn kinds_by_side() {
        use Topology::*;
        for (topology, fine) in [
            (ReplicaSetPrimary, true),
            (ReplicaSetSecondary, false),
            (ReplicaSetOther, false),
            (Standalone, false),
            (Mongos, false),
        ] {
            let facts = ClusterFacts {
                version: ServerVersion::new(6, 0, 5),
                fcv: None,
                topology,
                set_name: Some("rs".into()),
                hosts: vec!["a:1".into()],
                me: None,
                primary: None,
                writable: true,
                max_wire_version: 17,
                local_time_ms: 0,
                storage_engine: None,
            };
            for (side, code) in [(Side::Source, "MF-V07"), (Side::Destination, "MF-V08")] {
                let finding = check(side, &facts);
                assert_eq!((finding.code.as_str(), finding.severity < Severity::Error), (code, fine), "{topology:?}");
            }
        }
    }
}
