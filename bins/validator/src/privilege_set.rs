//! What a user may do where, as `connectionStatus` lists it, matched the way the server matches it. Pure.

use std::collections::BTreeSet;

use bson::{Bson, Document};
use mongoferry_protocol::Namespace;

#[derive(Clone, Debug, Default)]
pub(crate) struct PrivilegeSet(Vec<Grant>);

#[derive(Clone, Debug)]
struct Grant {
    resource: Resource,
    actions: BTreeSet<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Resource {
    Anything,
    Cluster,
    /// An empty part stands for any.
    Pattern {
        database: String,
        collection: String,
    },
}

/// What an action is done to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target<'a> {
    Cluster,
    Database(&'a str),
    Collection(&'a Namespace),
}

impl PrivilegeSet {
    /// Of a server that asks for no login.
    pub(crate) fn everything() -> Self {
        Self(vec![Grant { resource: Resource::Anything, actions: ["anyAction".to_owned()].into() }])
    }

    /// From the reply to `connectionStatus` with `showPrivileges`. What is not understood grants nothing.
    pub(crate) fn parse(connection_status: &Document) -> Self {
        let info = connection_status.get_document("authInfo").ok();
        let privileges = info.and_then(|info| info.get_array("authenticatedUserPrivileges").ok());
        Self(privileges.into_iter().flatten().filter_map(Bson::as_document).filter_map(grant).collect())
    }

    pub(crate) fn allows(&self, action: &str, target: Target<'_>) -> bool {
        self.0.iter().any(|grant| grant.resource.covers(target) && grant.allows(action))
    }
}

impl Grant {
    fn allows(&self, action: &str) -> bool {
        self.actions.contains(action) || self.actions.contains("anyAction")
    }
}

impl Resource {
    fn covers(&self, target: Target<'_>) -> bool {
        let Self::Pattern { database, collection } = self else {
            return *self == Self::Anything || target == Target::Cluster;
        };
        match target {
            Target::Cluster => false,
            Target::Database(wanted) => collection.is_empty() && covers_database(database, wanted),
            Target::Collection(wanted) if collection.is_empty() => {
                !wanted.collection().starts_with("system.") && covers_database(database, wanted.database())
            }
            Target::Collection(wanted) => {
                collection == wanted.collection() && (database.is_empty() || database == wanted.database())
            }
        }
    }
}

/// "Any database" leaves out the server's own.
fn covers_database(granted: &str, wanted: &str) -> bool {
    if granted.is_empty() { !matches!(wanted, "local" | "config") } else { granted == wanted }
}

fn grant(privilege: &Document) -> Option<Grant> {
    let resource = privilege.get_document("resource").ok()?;
    let flag = |key| resource.get_bool(key).unwrap_or(false);
    let resource = if flag("anyResource") {
        Resource::Anything
    } else if flag("cluster") {
        Resource::Cluster
    } else {
        let part = |key| resource.get_str(key).ok().map(ToOwned::to_owned);
        Resource::Pattern { database: part("db")?, collection: part("collection")? }
    };
    let actions = privilege.get_array("actions").ok()?.iter().filter_map(Bson::as_str);
    Some(Grant { resource, actions: actions.map(ToOwned::to_owned).collect() })
}

#[cfg(test)]
mod tests {
    use bson::{Document, doc};
    use mongoferry_protocol::Namespace;

    use super::{PrivilegeSet, Target};

    fn set(resource: Document) -> PrivilegeSet {
        let privilege = doc! {"resource": resource, "actions": ["find"]};
        PrivilegeSet::parse(&doc! {"authInfo": {"authenticatedUserPrivileges": [privilege]}})
    }

    #[test]
    fn resources_cover_as_on_the_server() {
        let orders = Namespace::new("shop", "orders");
        let oplog = Namespace::new("local", "oplog.rs");
        let script = Namespace::new("shop", "system.js");
        for (resource, [on_orders, on_shop, on_oplog, on_script, on_cluster]) in [
            (doc! {"anyResource": true}, [true; 5]),
            (doc! {"cluster": true}, [false, false, false, false, true]),
            (doc! {"db": "", "collection": ""}, [true, true, false, false, false]),
            (doc! {"db": "shop", "collection": ""}, [true, true, false, false, false]),
            (doc! {"db": "local", "collection": ""}, [false, false, true, false, false]),
            (doc! {"db": "", "collection": "system.js"}, [false, false, false, true, false]),
            (doc! {"db": "shop", "collection": "orders"}, [true, false, false, false, false]),
            (doc! {"db": "local", "collection": "oplog.rs"}, [false, false, true, false, false]),
            (doc! {"system_buckets": "", "db": ""}, [false; 5]),
        ] {
            let set = set(resource.clone());
            assert_eq!(set.allows("find", Target::Collection(&orders)), on_orders, "{resource}");
            assert_eq!(set.allows("find", Target::Database("shop")), on_shop, "{resource}");
            assert_eq!(set.allows("find", Target::Collection(&oplog)), on_oplog, "{resource}");
            assert_eq!(set.allows("find", Target::Collection(&script)), on_script, "{resource}");
            assert_eq!(set.allows("find", Target::Cluster), on_cluster, "{resource}");
            assert!(!set.allows("insert", Target::Collection(&orders)), "{resource}");
        }
        assert!(PrivilegeSet::everything().allows("insert", Target::Collection(&oplog)));
    }
}
