//! What a cluster says of itself: version, kind, set, members. Asked without privileges where that is possible.

use std::fmt;

use bson::{Document, doc, oid::ObjectId};
use mongoferry_protocol::ClusterIdentity;

use crate::{connection::Cluster, error::MongoError, optimes::first_of};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ServerVersion {
    pub major: u32,
    pub minor: u32,
    pub patch: u32,
}

impl ServerVersion {
    pub const fn new(major: u32, minor: u32, patch: u32) -> Self {
        Self { major, minor, patch }
    }

    /// At least `major.minor`.
    pub fn is_at_least(self, major: u32, minor: u32) -> bool {
        (self.major, self.minor) >= (major, minor)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(['.', '-']).map(|part| part.parse().ok());
        Some(Self::new(parts.next()??, parts.next()??, parts.next()??))
    }
}

impl fmt::Display for ServerVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// What answered at the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topology {
    ReplicaSetPrimary,
    ReplicaSetSecondary,
    /// A member that is neither: arbiter, recovering, starting.
    ReplicaSetOther,
    Standalone,
    Mongos,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterFacts {
    pub version: ServerVersion,
    /// Such as `6.0`. Absent where the user may not read it.
    pub fcv: Option<String>,
    pub topology: Topology,
    pub set_name: Option<String>,
    /// `host:port` of the members as the set's configuration names them, sorted.
    pub hosts: Vec<String>,
    /// The member that answered, as the set names it.
    pub me: Option<String>,
    pub primary: Option<String>,
    pub writable: bool,
    /// Largest wire protocol version.
    pub max_wire_version: i32,
    /// Milliseconds since 1970 by the server's clock.
    pub local_time_ms: u64,
    /// The storage engine, where the user may read it.
    pub storage_engine: Option<String>,
}

/// Asks the primary (or the one server that answers).
pub async fn facts(cluster: &Cluster) -> Result<ClusterFacts, MongoError> {
    let hello = cluster.command("admin", doc! {"isMaster": 1}).await?;
    let build = cluster.command("admin", doc! {"buildInfo": 1}).await?;
    let version = build
        .get_str("version")
        .ok()
        .and_then(ServerVersion::parse)
        .ok_or_else(|| cluster.unexpected("buildInfo", "no version"))?;
    Ok(ClusterFacts {
        version,
        fcv: feature_version(cluster).await?,
        topology: topology(&hello),
        set_name: text(&hello, "setName"),
        hosts: hosts(&hello),
        me: text(&hello, "me"),
        primary: text(&hello, "primary"),
        writable: hello.get_bool("ismaster").unwrap_or(false),
        max_wire_version: hello.get_i32("maxWireVersion").unwrap_or(0),
        local_time_ms: hello.get_datetime("localTime").map_or(0, |date| date.timestamp_millis().max(0) as u64),
        storage_engine: storage_engine(cluster).await?,
    })
}

/// Which replica set this is. The id needs a privilege; without it, name and hosts must do.
pub async fn identity(cluster: &Cluster) -> Result<ClusterIdentity, MongoError> {
    let facts = facts(cluster).await?;
    Ok(ClusterIdentity {
        replica_set: facts.set_name.clone().unwrap_or_default(),
        replica_set_id: replica_set_id(cluster).await?.map(|id| id.to_hex()),
        hosts: facts.hosts,
        version: facts.version.to_string(),
    })
}

async fn replica_set_id(cluster: &Cluster) -> Result<Option<ObjectId>, MongoError> {
    if let Some(reply) = permitted(cluster.command("admin", doc! {"replSetGetConfig": 1}).await)? {
        let id = reply.get_document("config").ok().and_then(set_id);
        if id.is_some() {
            return Ok(id);
        }
    }
    let find = doc! {"find": "system.replset", "limit": 1, "singleBatch": true};
    Ok(permitted(cluster.command("local", find).await)?.as_ref().and_then(first_of).and_then(set_id))
}

fn set_id(config: &Document) -> Option<ObjectId> {
    config.get_document("settings").ok()?.get_object_id("replicaSetId").ok()
}

async fn feature_version(cluster: &Cluster) -> Result<Option<String>, MongoError> {
    let reply = cluster.command("admin", doc! {"getParameter": 1, "featureCompatibilityVersion": 1}).await;
    Ok(permitted(reply)?.and_then(|reply| match reply.get("featureCompatibilityVersion")? {
        bson::Bson::String(version) => Some(version.clone()),
        bson::Bson::Document(nested) => text(nested, "version"),
        _ => None,
    }))
}

async fn storage_engine(cluster: &Cluster) -> Result<Option<String>, MongoError> {
    let wanted = doc! {"serverStatus": 1, "metrics": 0, "wiredTiger": 0, "locks": 0, "repl": 0};
    Ok(permitted(cluster.command("admin", wanted).await)?
        .and_then(|reply| text(reply.get_document("storageEngine").ok()?, "name")))
}

/// Turns "may not" and "no such command here" into an absence.
fn permitted(reply: Result<Document, MongoError>) -> Result<Option<Document>, MongoError> {
    match reply {
        Ok(reply) => Ok(Some(reply)),
        Err(MongoError::Unauthorized { .. } | MongoError::Command { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn topology(hello: &Document) -> Topology {
    let flag = |name| hello.get_bool(name).unwrap_or(false);
    if hello.get_str("msg").is_ok_and(|msg| msg == "isdbgrid") {
        Topology::Mongos
    } else if hello.contains_key("setName") {
        match (flag("ismaster"), flag("secondary")) {
            (true, _) => Topology::ReplicaSetPrimary,
            (false, true) => Topology::ReplicaSetSecondary,
            (false, false) => Topology::ReplicaSetOther,
        }
    } else if flag("isreplicaset") {
        Topology::ReplicaSetOther
    } else {
        Topology::Standalone
    }
}

fn hosts(hello: &Document) -> Vec<String> {
    let mut hosts: Vec<String> = ["hosts", "passives", "arbiters"]
        .iter()
        .filter_map(|kind| hello.get_array(kind).ok())
        .flatten()
        .filter_map(|host| host.as_str().map(ToOwned::to_owned))
        .collect();
    hosts.sort();
    hosts
}

fn text(document: &Document, key: &str) -> Option<String> {
    document.get_str(key).ok().map(ToOwned::to_owned)
}

#[cfg(test)]
mod tests {
    use super::{ServerVersion, Topology, topology};
    use bson::doc;

    #[test]
    fn versions_compare_by_number() {
        assert_eq!(ServerVersion::parse("6.0.5"), Some(ServerVersion::new(6, 0, 5)));
        assert_eq!(ServerVersion::parse("8.0.0-rc1"), Some(ServerVersion::new(8, 0, 0)));
        assert_eq!(ServerVersion::parse("six"), None);
        assert!(ServerVersion::new(10, 0, 0).is_at_least(6, 0) && !ServerVersion::new(5, 3, 9).is_at_least(6, 0));
    }

    #[test]
    fn kinds_by_hello() {
        let cases = [
            (doc! {"ismaster": true, "setName": "rs"}, Topology::ReplicaSetPrimary),
            (doc! {"ismaster": false, "secondary": true, "setName": "rs"}, Topology::ReplicaSetSecondary),
            (doc! {"ismaster": false, "isreplicaset": true}, Topology::ReplicaSetOther),
            (doc! {"ismaster": true, "msg": "isdbgrid"}, Topology::Mongos),
            (doc! {"ismaster": true}, Topology::Standalone),
        ];
        for (hello, kind) in cases {
            assert_eq!(topology(&hello), kind, "{hello}");
        }
    }
}
