//! MF-V20: how many users stay behind, since users and roles are never copied.

use bson::doc;
use mongoferry_protocol::Finding;

use crate::{check::Check, cluster_observation::ClusterObservation};

pub(crate) async fn check(cluster: &ClusterObservation) -> Finding {
    let check = Check::new("MF-V20", format!("{}: users", cluster.side));
    match cluster.cluster.command("admin", doc! {"usersInfo": {"forAllDBs": true}}).await {
        Ok(reply) => {
            let count = reply.get_array("users").map_or(0, Vec::len);
            check.passes(format!("{count}; users and roles are not copied"))
        }
        Err(_) => check.passes("not countable by this user; users and roles are not copied"),
    }
}
