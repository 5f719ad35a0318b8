//! The commands to paste into mongosh for what is missing. Pure.

use super::needed::{Needed, Scope};
use crate::cluster_observation::{Side, User};

/// First the built-in roles that hold everything, then a role of its own that holds just what is missing.
pub(super) fn grants(side: Side, user: Option<&User>, missing: &[&Needed]) -> String {
    let role = match side {
        Side::Source => "mongoferrySource",
        Side::Destination => "mongoferryDestination",
    };
    let own = format!(
        "db.getSiblingDB(\"admin\").createRole({{\"role\": \"{role}\", \"privileges\": [{}], \"roles\": []}}); {}",
        privileges(missing),
        grant(user, &[role])
    );
    if missing.iter().any(|needed| needed.action == "setUserWriteBlockMode") {
        // Of the built-in roles only those of administrators hold it.
        return own;
    }
    format!("{} — or just what is missing: {own}", built_in_roles(side, user))
}

pub(super) fn built_in_roles(side: Side, user: Option<&User>) -> String {
    match side {
        Side::Source => grant(user, &["readAnyDatabase", "backup", "clusterMonitor"]),
        Side::Destination => grant(user, &["readWriteAnyDatabase", "dbAdminAnyDatabase", "clusterMonitor"]),
    }
}

fn grant(user: Option<&User>, roles: &[&str]) -> String {
    let (name, database) = user.map_or(("user", "admin"), |user| (user.name.as_str(), user.database.as_str()));
    let roles: Vec<String> = roles.iter().map(|role| format!("{{\"role\": \"{role}\", \"db\": \"admin\"}}")).collect();
    format!("db.getSiblingDB({database:?}).grantRolesToUser({name:?}, [{}])", roles.join(", "))
}

fn privileges(missing: &[&Needed]) -> String {
    let groups = [
        (r#"{"cluster": true}"#, &[Scope::Cluster][..]),
        (r#"{"db": "", "collection": ""}"#, &[Scope::Databases, Scope::Collections]),
        (r#"{"db": "local", "collection": "oplog.rs"}"#, &[Scope::Oplog]),
    ];
    let groups = groups.iter().filter_map(|(resource, scopes)| {
        let actions: Vec<String> = missing
            .iter()
            .filter(|needed| scopes.contains(&needed.scope))
            .map(|needed| format!("{:?}", needed.action))
            .collect();
        (!actions.is_empty()).then(|| format!("{{\"resource\": {resource}, \"actions\": [{}]}}", actions.join(", ")))
    });
    groups.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::{
        super::needed::{Needed, Scope},
        grants,
    };
    use crate::cluster_observation::{Side, User};

    #[test]
    fn commands_name_the_user_where_it_lives() {
        let user = User { name: "CN=ferry".into(), database: "$external".into() };
        let missing =
            [Needed { action: "useUUID", scope: Scope::Cluster }, Needed { action: "find", scope: Scope::Oplog }];
        let text = grants(Side::Source, Some(&user), &missing.iter().collect::<Vec<_>>());
        let own = "createRole({\"role\": \"mongoferrySource\", \"privileges\": [{\"resource\": {\"cluster\": true}, \
            \"actions\": [\"useUUID\"]}, {\"resource\": {\"db\": \"local\", \"collection\": \"oplog.rs\"}, \"actions\": \
            [\"find\"]}], \"roles\": []}); db.getSiblingDB(\"$external\").grantRolesToUser(\"CN=ferry\", \
            [{\"role\": \"mongoferrySource\", \"db\": \"admin\"}])";
        assert!(text.ends_with(own), "{text}");
        assert!(text.contains("\"clusterMonitor\""), "{text}");
    }
}
