//! MF-V06, where the destination's writes are blocked: our user may write all the same.

use bson::{Bson, doc};
use mongoferry_protocol::Finding;

use crate::{
    check::{Check, Trouble},
    cluster_observation::ClusterObservation,
    privilege_set::Target,
};

/// `userWriteBlockMode` of serverStatus.
const BLOCKED: i64 = 2;
const BYPASS: &str = "bypassWriteBlockingMode";

/// Nothing to say where no block is in place, or the server does not tell.
pub(crate) async fn check(destination: &ClusterObservation) -> Vec<Finding> {
    let status = destination.cluster.command("admin", doc! {"serverStatus": 1, "metrics": 0, "wiredTiger": 0}).await;
    let mode = status.ok().and_then(|status| number(status.get_document("repl").ok()?.get("userWriteBlockMode")?));
    if mode != Some(BLOCKED) {
        return Vec::new();
    }
    let check = Check::new("MF-V06", "destination: writes are not blocked");
    if destination.privileges.allows(BYPASS, Target::Cluster) {
        return vec![check.passes("they are, and this user may write all the same")];
    }
    vec![check.fails(Trouble::new(
        "the writes of users are blocked (setUserWriteBlockMode)",
        "The first document copied would be refused.",
        format!(
            "db.adminCommand({{setUserWriteBlockMode: 1, global: false}}), or grant the user {BYPASS} (role \"restore\")."
        ),
    ))]
}

fn number(value: &Bson) -> Option<i64> {
    match value {
        Bson::Int32(number) => Some(i64::from(*number)),
        Bson::Int64(number) => Some(*number),
        Bson::Double(number) => Some(*number as i64),
        _ => None,
    }
}
