//! MF-V06: the users may do what the migration must, privilege by privilege, whatever their roles are called. Pure.

mod needed;
mod remedy;

use std::collections::{BTreeMap, BTreeSet};

use mongoferry_mongo::MongoError;
use mongoferry_protocol::{Explain, Finding, Namespace};

use self::needed::{DESTINATION, Needed, OPTIONAL_ON_SOURCE, Optional, SOURCE, Scope};
use crate::{
    check::{Check, Trouble, with_causes},
    cluster_observation::{ClusterObservation, Side},
    privilege_set::{PrivilegeSet, Target},
};

/// Names shown of the places where a privilege is missing.
const LISTED: usize = 5;

fn privileges(side: Side) -> Check {
    Check::new("MF-V06", format!("{side}: privileges"))
}

/// What is missing for reading `namespaces`, and what is lost without the privileges that can be done without.
pub(crate) fn of_source(source: &ClusterObservation, namespaces: &BTreeSet<Namespace>) -> Vec<Finding> {
    let mut findings = vec![required(source, &SOURCE, namespaces)];
    findings.extend(OPTIONAL_ON_SOURCE.iter().filter_map(|optional| lost(source, optional)));
    findings
}

/// What is missing for writing `namespaces` and our own database.
pub(crate) fn of_destination(destination: &ClusterObservation, namespaces: &BTreeSet<Namespace>) -> Finding {
    let mut due = namespaces.clone();
    due.extend(["lanes", "collections", "claim", "marker"].map(|own| Namespace::new(Namespace::OWN_DATABASE, own)));
    required(destination, &DESTINATION, &due)
}

/// For a read that failed, such as that of the catalog.
pub(crate) fn may_not_read(cluster: &ClusterObservation, error: &MongoError) -> Finding {
    if !matches!(error, MongoError::Unauthorized { .. }) {
        return privileges(cluster.side).fails_by(error);
    }
    let remedy = remedy::built_in_roles(cluster.side, cluster.users.first());
    privileges(cluster.side).fails(Trouble::new(with_causes(error), error.hint(), remedy))
}

fn required(cluster: &ClusterObservation, needed: &'static [Needed], namespaces: &BTreeSet<Namespace>) -> Finding {
    let check = privileges(cluster.side);
    if cluster.users.is_empty() {
        return check.passes("the server asks for no login, so everything is permitted");
    }
    let missing: Vec<(&Needed, Vec<String>)> = needed
        .iter()
        .map(|needed| (needed, places_without(needed, &cluster.privileges, namespaces)))
        .filter(|(_, places)| !places.is_empty())
        .collect();
    if missing.is_empty() {
        return check.passes("every privilege needed is there");
    }
    let found: Vec<String> = missing.iter().map(|(needed, places)| shown(needed, places)).collect();
    let reason = "The migration would stop at the first command that is refused.";
    let lacking: Vec<&Needed> = missing.iter().map(|(needed, _)| *needed).collect();
    let remedy = remedy::grants(cluster.side, cluster.users.first(), &lacking);
    check.fails(Trouble::new(format!("missing: {}", found.join("; ")), reason, remedy))
}

fn places_without(needed: &Needed, privileges: &PrivilegeSet, namespaces: &BTreeSet<Namespace>) -> Vec<String> {
    let allowed = |target: Target<'_>| privileges.allows(needed.action, target);
    let none_if = |allowed: bool, place: &str| if allowed { Vec::new() } else { vec![place.to_owned()] };
    match needed.scope {
        Scope::Cluster => none_if(allowed(Target::Cluster), "the cluster"),
        Scope::Oplog => {
            let oplog = Namespace::new("local", "oplog.rs");
            none_if(allowed(Target::Collection(&oplog)), "local.oplog.rs")
        }
        Scope::Databases => {
            let databases: BTreeSet<&str> = namespaces.iter().map(Namespace::database).collect();
            databases.into_iter().filter(|name| !allowed(Target::Database(name))).map(ToOwned::to_owned).collect()
        }
        Scope::Collections => by_database(namespaces, |namespace| !allowed(Target::Collection(namespace))),
    }
}

/// The namespaces that are `lacking`, those of a database as one if all of them are.
fn by_database(namespaces: &BTreeSet<Namespace>, lacking: impl Fn(&Namespace) -> bool) -> Vec<String> {
    let mut databases: BTreeMap<&str, (usize, Vec<String>)> = BTreeMap::new();
    for namespace in namespaces {
        let (count, refused) = databases.entry(namespace.database()).or_default();
        *count += 1;
        if lacking(namespace) {
            refused.push(namespace.to_string());
        }
    }
    let shown = databases.into_iter().flat_map(|(database, (count, refused))| {
        if count > 0 && refused.len() == count { vec![format!("{database}.*")] } else { refused }
    });
    shown.collect()
}

fn shown(needed: &Needed, places: &[String]) -> String {
    let first = places.iter().take(LISTED).cloned().collect::<Vec<_>>().join(", ");
    match places.len().saturating_sub(LISTED) {
        0 => format!("{} on {first}", needed.action),
        more => format!("{} on {first} and {more} more", needed.action),
    }
}

fn lost(cluster: &ClusterObservation, optional: &'static Optional) -> Option<Finding> {
    let granted = cluster.privileges.allows(optional.needed.action, Target::Cluster);
    if granted || !cluster.facts.version.is_at_least(optional.since.0, optional.since.1) {
        return None;
    }
    let check = Check::new("MF-V06", format!("{}: privilege {} (optional)", cluster.side, optional.needed.action));
    Some(check.warns(Trouble::new(
        format!("missing; lost without it: {}", optional.feature),
        "The migration can do without.",
        remedy::grants(cluster.side, cluster.users.first(), &[&optional.needed]),
    )))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use bson::{Document, doc};
    use mongoferry_protocol::Namespace;

    use super::{DESTINATION, Scope, places_without};
    use crate::privilege_set::PrivilegeSet;

    fn missing(privileges: Vec<Document>) -> BTreeSet<&'static str> {
        let set = PrivilegeSet::parse(&doc! {"authInfo": {"authenticatedUserPrivileges": privileges}});
        let due: BTreeSet<Namespace> = ["shop", "mongoferry"].map(|database| Namespace::new(database, "a")).into();
        let on_data = DESTINATION.iter().filter(|needed| matches!(needed.scope, Scope::Databases | Scope::Collections));
        on_data.filter(|needed| !places_without(needed, &set, &due).is_empty()).map(|needed| needed.action).collect()
    }

    #[test]
    fn grants_add_up() {
        let all: Vec<&str> = DESTINATION.iter().map(|needed| needed.action).collect();
        let on = |database: &str, actions: &[&str]| {
            doc! {"resource": {"db": database, "collection": ""}, "actions": actions.to_vec()}
        };
        assert!(missing(vec![on("", &all)]).is_empty());
        assert!(missing(vec![on("shop", &all), on("mongoferry", &all)]).is_empty());
        let without_insert: Vec<&str> = all.iter().copied().filter(|action| *action != "insert").collect();
        assert_eq!(missing(vec![on("", &without_insert), on("shop", &all)]), ["insert"].into());
        assert!(missing(vec![on("other", &all)]).len() > 10);
        assert!(missing(vec![doc! {"resource": {"anyResource": true}, "actions": ["anyAction"]}]).is_empty());
        // One collection is enough for what is done to collections, not for what is done to databases.
        let one = doc! {"resource": {"db": "shop", "collection": "a"}, "actions": &all};
        assert_eq!(
            missing(vec![one, on("mongoferry", &all)]),
            ["dbStats", "dropDatabase", "listCollections", "renameCollectionSameDB"].into()
        );
    }
}
