//! MF-V24: the members of a replica set are up.

use bson::{Bson, Document, doc};
use mongoferry_protocol::Finding;

use crate::{
    check::{Check, Trouble},
    cluster_observation::ClusterObservation,
};

pub(crate) async fn check(cluster: &ClusterObservation) -> Finding {
    let check = Check::new("MF-V24", format!("{}: members", cluster.side));
    match cluster.cluster.command("admin", doc! {"replSetGetStatus": 1}).await {
        Ok(status) => judge(&check, &status),
        Err(error) => check.unanswered(&error),
    }
}

fn judge(check: &Check, status: &Document) -> Finding {
    let members: Vec<&Document> =
        status.get_array("members").into_iter().flatten().filter_map(Bson::as_document).collect();
    let down: Vec<String> = members
        .iter()
        .filter(|member| !matches!(member.get_str("stateStr"), Ok("PRIMARY" | "SECONDARY" | "ARBITER")))
        .map(|member| {
            let state = member.get_str("stateStr").unwrap_or("in an unknown state");
            format!("{} is {state}", member.get_str("name").unwrap_or_default())
        })
        .collect();
    if down.is_empty() {
        return check.passes(format!("{} up", members.len()));
    }
    check.warns(Trouble::new(
        down.join("; "),
        "Reads and writes wait for a majority of the members: one more that fails stops the migration.",
        "Bring the member back, or remove it from the replica set (rs.remove).",
    ))
}

#[cfg(test)]
mod tests {
    use bson::doc;
    use mongoferry_protocol::Severity;

    use super::judge;
    use crate::check::Check;

    #[test]
    fn a_member_that_is_down_is_named() {
        let check = Check::new("MF-V24", "members");
        let up = doc! {"name": "a:1", "stateStr": "PRIMARY"};
        let arbiter = doc! {"name": "b:1", "stateStr": "ARBITER"};
        let down = doc! {"name": "c:1", "stateStr": "(not reachable/healthy)"};
        assert_eq!(judge(&check, &doc! {"members": [&up, &arbiter]}).severity, Severity::Info);
        let finding = judge(&check, &doc! {"members": [up, arbiter, down]});
        assert_eq!((finding.severity, finding.found.contains("c:1")), (Severity::Warning, true));
    }
}
