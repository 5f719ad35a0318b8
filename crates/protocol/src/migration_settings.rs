//! What a migration is about. Written once, when it is created.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::MigrationId;

/// Which replica set a process is connected to, by what the servers say of themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClusterIdentity {
    pub replica_set: String,
    /// `settings.replicaSetId` as 24 hexadecimal digits, where the user may read it.
    pub replica_set_id: Option<String>,
    /// `host:port` of the members, sorted.
    pub hosts: Vec<String>,
    /// The primary's version, such as `6.0.5`.
    pub version: String,
}

impl ClusterIdentity {
    /// The same replica set, though its members or version may have changed since.
    pub fn is_same_cluster(&self, other: &Self) -> bool {
        match (&self.replica_set_id, &other.replica_set_id) {
            (Some(ours), Some(theirs)) => ours == theirs,
            _ => self.replica_set == other.replica_set && self.hosts.iter().any(|host| other.hosts.contains(host)),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CutoverMode {
    /// Waits in `ready` for the operator.
    Manual,
    /// Cuts over when ready; asserts that nobody writes to the source by then.
    Auto,
    /// Ends when it could cut over: tells what the write downtime would be, and leaves the copy to try things on.
    Rehearse,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MigrationSettings {
    pub id: MigrationId,
    pub source: ClusterIdentity,
    pub destination: ClusterIdentity,
    pub cutover: CutoverMode,
    /// A cutover that is not past its point of no return by then is taken back.
    #[serde(default = "MigrationSettings::usual_cutover_limit_ms")]
    pub cutover_limit_ms: u64,
    /// Prove equality at cutover.
    pub verify: bool,
    /// Number of lanes the applier writes in. Fixed, because each lane has its own checkpoint.
    pub lanes: u32,
    pub created_at_ms: u64,
}

impl MigrationSettings {
    /// Of migrations that were begun before it could be chosen.
    const fn usual_cutover_limit_ms() -> u64 {
        10 * 60 * 1_000
    }
}

#[cfg(test)]
mod tests {
    use super::ClusterIdentity;

    fn cluster(set: &str, id: Option<&str>, hosts: &[&str]) -> ClusterIdentity {
        ClusterIdentity {
            replica_set: set.into(),
            replica_set_id: id.map(Into::into),
            hosts: hosts.iter().map(|&host| host.into()).collect(),
            version: "6.0.5".into(),
        }
    }

    #[test]
    fn the_id_decides_and_else_name_and_a_common_host() {
        let one = cluster("rs", Some("aa"), &["a:1", "b:1"]);
        assert!(one.is_same_cluster(&cluster("rs", Some("aa"), &["c:1"])));
        assert!(!one.is_same_cluster(&cluster("rs", Some("bb"), &["a:1"])));
        assert!(one.is_same_cluster(&cluster("rs", None, &["b:1", "c:1"])));
        assert!(!one.is_same_cluster(&cluster("rs", None, &["c:1"])));
        assert!(!one.is_same_cluster(&cluster("other", None, &["a:1"])));
    }
}
