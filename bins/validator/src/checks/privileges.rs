//! MF-V06: the users may do what the migration must. On the source by trying it; on the destination, where nothing is to be
//! written, by the privileges that the server lists.

use std::collections::BTreeSet;

use bson::{Bson, Document, doc};
use mongoferry_mongo::MongoError;
use mongoferry_protocol::{Explain, Finding, Namespace};

use crate::{
    check::{Check, Trouble, with_causes},
    cluster_observation::{ClusterObservation, Side},
};

/// Needed on every namespace of the destination.
const NEEDED: [&str; 16] = [
    "find",
    "insert",
    "update",
    "remove",
    "bypassDocumentValidation",
    "createCollection",
    "createIndex",
    "collMod",
    "dropCollection",
    "dropIndex",
    "dropDatabase",
    "renameCollectionSameDB",
    "listCollections",
    "listIndexes",
    "collStats",
    "dbStats",
];

fn privileges(side: Side) -> Check {
    Check::new("MF-V06", format!("{side}: privileges"))
}

/// The reads without which nothing can begin.
pub(crate) async fn of_source(source: &ClusterObservation) -> Vec<Finding> {
    let oplog = doc! {"find": "oplog.rs", "limit": 1, "singleBatch": true, "projection": {"ts": 1}};
    let attempts = [
        source.cluster.command("local", oplog).await,
        source.cluster.command("admin", doc! {"listDatabases": 1, "nameOnly": true}).await,
    ];
    let failed: Vec<Finding> =
        attempts.iter().filter_map(|attempt| attempt.as_ref().err()).map(|error| may_not_read(source, error)).collect();
    if failed.is_empty() {
        return vec![privileges(Side::Source).passes("the oplog and the list of databases can be read")];
    }
    failed
}

/// For a read that failed, such as that of the catalog.
pub(crate) fn may_not_read(cluster: &ClusterObservation, error: &MongoError) -> Finding {
    if !matches!(error, MongoError::Unauthorized { .. }) {
        return privileges(cluster.side).fails_by(error);
    }
    let roles = match cluster.side {
        Side::Source => "\"readAnyDatabase\", \"clusterMonitor\"",
        Side::Destination => "\"readWriteAnyDatabase\", \"dbAdminAnyDatabase\", \"clusterMonitor\"",
    };
    let user = cluster.users.first().and_then(|user| user.split('@').next()).unwrap_or("user");
    privileges(cluster.side).fails(Trouble::new(
        with_causes(error),
        error.hint(),
        format!("db.getSiblingDB(\"admin\").grantRolesToUser(\"{user}\", [{roles}])"),
    ))
}

pub(crate) async fn of_destination(destination: &ClusterObservation, databases: &BTreeSet<String>) -> Finding {
    let check = privileges(Side::Destination);
    if destination.users.is_empty() {
        return check.passes("the server asks for no login, so everything may be written");
    }
    let granted = match destination.cluster.command("admin", doc! {"connectionStatus": 1, "showPrivileges": true}).await
    {
        Ok(reply) => granted(&reply),
        Err(error) => return check.unanswered(&error),
    };
    let missing = missing(&granted, databases);
    if missing.is_empty() {
        return check.passes("every privilege for writing is there");
    }
    let user = destination.users[0].split('@').next().unwrap_or_default();
    check.fails(Trouble::new(
        format!("missing on the databases to be written: {}", missing.join(", ")),
        "The migration would stop at the first write that is refused.",
        format!(
            "db.getSiblingDB(\"admin\").grantRolesToUser(\"{user}\", [\"readWriteAnyDatabase\", \
             \"dbAdminAnyDatabase\", \"clusterMonitor\"])"
        ),
    ))
}

struct Grant {
    /// Empty: all databases.
    database: String,
    actions: BTreeSet<String>,
}

/// The grants that hold for whole databases.
fn granted(connection_status: &Document) -> Vec<Grant> {
    let privileges = connection_status
        .get_document("authInfo")
        .and_then(|info| info.get_array("authenticatedUserPrivileges"))
        .into_iter()
        .flatten()
        .filter_map(Bson::as_document);
    privileges
        .filter_map(|privilege| {
            let resource = privilege.get_document("resource").ok()?;
            let anything = resource.get_bool("anyResource").unwrap_or(false);
            let of_database = resource.get_str("collection").is_ok_and(str::is_empty);
            let database = if anything { "" } else { resource.get_str("db").ok().filter(|_| of_database)? };
            let actions = privilege.get_array("actions").ok()?.iter().filter_map(Bson::as_str);
            Some(Grant { database: database.to_owned(), actions: actions.map(ToOwned::to_owned).collect() })
        })
        .collect()
}

/// The needed actions that are not granted on all of `databases`, nor on our own.
fn missing(granted: &[Grant], databases: &BTreeSet<String>) -> Vec<&'static str> {
    let allows = |grant: &Grant, action: &str| grant.actions.contains(action) || grant.actions.contains("anyAction");
    let covered = |action: &str, database: &str| {
        granted.iter().any(|grant| (grant.database.is_empty() || grant.database == database) && allows(grant, action))
    };
    let written = || databases.iter().map(String::as_str).chain([Namespace::OWN_DATABASE]);
    NEEDED.into_iter().filter(|action| !written().all(|database| covered(action, database))).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use bson::{Document, doc};

    use super::{NEEDED, granted, missing};

    fn status(privileges: Vec<Document>) -> Document {
        doc! {"authInfo": {"authenticatedUserPrivileges": privileges}}
    }

    fn on(database: &str, actions: &[&str]) -> Document {
        doc! {"resource": {"db": database, "collection": ""}, "actions": actions.to_vec()}
    }

    #[test]
    fn grants_add_up() {
        let databases: BTreeSet<String> = ["shop".to_owned()].into();
        let judge = |privileges| missing(&granted(&status(privileges)), &databases);
        assert_eq!(judge(vec![on("", &NEEDED)]), Vec::<&str>::new());
        assert_eq!(judge(vec![on("shop", &NEEDED), on("mongoferry", &NEEDED)]), Vec::<&str>::new());
        assert_eq!(judge(vec![on("", &NEEDED[1..]), on("shop", &NEEDED)]), ["find"]);
        assert_eq!(judge(vec![on("other", &NEEDED)]), NEEDED);
        let anything = doc! {"resource": {"anyResource": true}, "actions": ["anyAction"]};
        assert_eq!(judge(vec![anything]), Vec::<&str>::new());
        let one_collection = doc! {"resource": {"db": "shop", "collection": "a"}, "actions": NEEDED.to_vec()};
        assert_eq!(judge(vec![one_collection]), NEEDED);
    }
}
