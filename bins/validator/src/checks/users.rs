//! MF-V20: how many users and roles stay behind, since they are never copied, and whether the destination has any.

use bson::{Bson, doc};
use mongoferry_mongo::Cluster;
use mongoferry_protocol::Finding;

use crate::{
    check::{Check, Trouble},
    cluster_observation::ClusterObservation,
    format_size::counted,
    number::number,
};

/// Absent where our user may not count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Accounts {
    pub(crate) users: Option<u64>,
    pub(crate) roles: Option<u64>,
}

pub(crate) async fn count(cluster: &ClusterObservation) -> Accounts {
    let cluster = &cluster.cluster;
    let (users, roles) = tokio::join!(count_in(cluster, "system.users"), count_in(cluster, "system.roles"));
    Accounts {
        users: match users {
            Some(users) => Some(users),
            None => users_by_command(cluster).await,
        },
        roles,
    }
}

async fn count_in(cluster: &Cluster, collection: &str) -> Option<u64> {
    let pipeline = vec![doc! {"$count": "n"}];
    let reply =
        cluster.command("admin", doc! {"aggregate": collection, "pipeline": pipeline, "cursor": {}}).await.ok()?;
    let first = reply.get_document("cursor").ok()?.get_array("firstBatch").ok()?.first().and_then(Bson::as_document);
    Some(first.map_or(0, |first| number(first, "n").unwrap_or(0)))
}

async fn users_by_command(cluster: &Cluster) -> Option<u64> {
    let reply = cluster.command("admin", doc! {"usersInfo": {"forAllDBs": true}}).await.ok()?;
    Some(reply.get_array("users").map_or(0, Vec::len) as u64)
}

pub(crate) fn check(source: Accounts, destination: Option<Accounts>) -> Finding {
    let check = Check::new("MF-V20", "users and roles, which are not copied");
    let text = |side: &str, accounts: Accounts| match (accounts.users, accounts.roles) {
        (None, None) => format!("{side}: not countable by this user"),
        (users, roles) => {
            let part = |count: Option<u64>, noun| count.map(|count| counted(count, noun));
            let parts: Vec<String> = [part(users, "user"), part(roles, "custom role")].into_iter().flatten().collect();
            format!("{side}: {}", parts.join(", "))
        }
    };
    let mut found = text("source", source);
    if let Some(destination) = destination {
        found = format!("{found}; {}", text("destination", destination));
    }
    let fewer =
        |ours: Option<u64>, theirs: Option<u64>| matches!((ours, theirs), (Some(ours), Some(theirs)) if theirs < ours);
    match destination {
        Some(there) if fewer(source.users, there.users) || fewer(source.roles, there.roles) => check.warns(Trouble::new(
            found,
            "After the cutover your applications log in to the destination, with users that must exist there.",
            "Create them there before the cutover: db.getSiblingDB(\"admin\").system.users.find() and .system.roles.find() \
             on the source list them.",
        )),
        _ => check.passes(found),
    }
}

#[cfg(test)]
mod tests {
    use mongoferry_protocol::Severity;

    use super::{Accounts, check};

    #[test]
    fn fewer_on_the_destination_warn() {
        let accounts = |users, roles| Accounts { users, roles };
        for (source, destination, severity) in [
            (accounts(Some(0), Some(0)), Some(accounts(Some(0), Some(0))), Severity::Info),
            (accounts(Some(3), Some(0)), Some(accounts(Some(1), Some(0))), Severity::Warning),
            (accounts(Some(1), Some(2)), Some(accounts(Some(1), Some(0))), Severity::Warning),
            (accounts(Some(3), None), Some(accounts(None, None)), Severity::Info),
            (accounts(None, None), None, Severity::Info),
        ] {
            assert_eq!(check(source, destination).severity, severity, "{source:?} {destination:?}");
        }
    }
}
