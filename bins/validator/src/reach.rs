//! The way to one cluster: names, connections, handshake, login. Where it ends early, it says at what.

use std::net::SocketAddr;

use futures_util::future::join_all;
use mongoferry_mongo::{Cluster, ClusterFacts, MongoError, Topology, facts, identity};
use mongoferry_protocol::Finding;

use crate::{
    check::{Check, Trouble, with_causes},
    checks::{login, topology},
    cluster_observation::{ClusterObservation, Side},
    hosts::{accepts_connections, asks_for_tls, hosts_of_uri, option_of_uri, resolve},
};

pub(crate) const APP_NAME: &str = "mongoferry-validator";

/// What the way showed. `cluster` is absent where it ended early; then one of the findings is an error.
pub(crate) struct Reach {
    pub(crate) findings: Vec<Finding>,
    pub(crate) cluster: Option<ClusterObservation>,
    /// Where the named hosts, and the members the cluster told of, are.
    pub(crate) addresses: Vec<SocketAddr>,
}

/// A host and what its name stands for, or why it stands for nothing.
struct Host {
    name: String,
    addresses: Result<Vec<SocketAddr>, String>,
    connection: Result<(), String>,
}

/// Goes as far as possible. The only error is [`MongoError::MalformedUri`].
pub(crate) async fn reach(side: Side, uri: &str) -> Result<Reach, MongoError> {
    let named = look_up(hosts_of_uri(uri)).await;
    let mut reach = Reach { findings: named_hosts(side, &named), cluster: None, addresses: addresses_of(&named) };
    if !named.is_empty() && named.iter().all(|host| host.connection.is_err()) {
        return Ok(reach);
    }
    match connect(uri).await {
        Ok((cluster, facts, identity)) => {
            let others = facts.hosts.iter().filter(|host| named.iter().all(|named| named.name != **host));
            let members = look_up(others.cloned().collect()).await;
            reach.findings.push(handshake(side).passes(format!("{} {}", cluster.hosts_label(), facts.version)));
            reach.findings.extend(other_members(side, &members));
            reach.addresses.extend(addresses_of(&members));
            let (finding, users) = login::check(side, &cluster).await;
            reach.findings.push(finding);
            reach.cluster = Some(ClusterObservation { side, cluster, facts, identity, users, catalog: None });
        }
        Err(error @ MongoError::MalformedUri { .. }) => return Err(error),
        Err(error @ MongoError::AuthenticationRefused { .. }) => reach.findings.push(login::refused(side, &error)),
        Err(error) => reach.findings.push(diagnose(side, uri, &named, &error).await),
    }
    Ok(reach)
}

async fn connect(uri: &str) -> Result<(Cluster, ClusterFacts, mongoferry_protocol::ClusterIdentity), MongoError> {
    let cluster = Cluster::connect(uri, APP_NAME).await?;
    let (facts, identity) = tokio::try_join!(facts(&cluster), identity(&cluster))?;
    Ok((cluster, facts, identity))
}

async fn look_up(hosts: Vec<String>) -> Vec<Host> {
    join_all(hosts.into_iter().map(|name| async move {
        let addresses = resolve(&name).await;
        let connection = match &addresses {
            Ok(addresses) => accepts_connections(addresses).await,
            Err(reason) => Err(reason.clone()),
        };
        Host { name, addresses, connection }
    }))
    .await
}

fn addresses_of(hosts: &[Host]) -> Vec<SocketAddr> {
    hosts.iter().filter_map(|host| host.addresses.as_ref().ok()).flatten().copied().collect()
}

fn names(side: Side) -> Check {
    Check::new("MF-V01", format!("{side}: host names resolve"))
}

fn handshake(side: Side) -> Check {
    Check::new("MF-V02", format!("{side}: reachable"))
}

/// The hosts of the connection string. One that answers is enough to begin with.
fn named_hosts(side: Side, hosts: &[Host]) -> Vec<Finding> {
    let unknown: Vec<String> = failures(hosts, |host| host.addresses.as_ref().err());
    let known: Vec<&Host> = hosts.iter().filter(|host| host.addresses.is_ok()).collect();
    let silent: Vec<String> = failures(known.iter().copied(), |host| host.connection.as_ref().err());
    let mut findings = Vec::new();
    if !hosts.is_empty() && unknown.is_empty() {
        let all: Vec<&str> = hosts.iter().map(|host| host.name.as_str()).collect();
        findings.push(names(side).passes(all.join(", ")));
    }
    let mut trouble = |check: Check, failed: &[String], all: bool, remedy: &str| {
        if failed.is_empty() {
            return;
        }
        let reason = if all {
            "No other host is left to begin with."
        } else {
            "Another host answers, so the migration can begin; when this one becomes primary, it can't go on."
        };
        let trouble = Trouble::new(failed.join("; "), reason, remedy);
        findings.push(if all { check.fails(trouble) } else { check.warns(trouble) });
    };
    let no_name = "Correct the name in the connection string, or make it resolve here: DNS, or /etc/hosts.";
    trouble(names(side), &unknown, known.is_empty(), no_name);
    let all_silent = silent.len() == known.len();
    trouble(handshake(side), &silent, all_silent, REACH_REMEDY);
    findings
}

const REACH_REMEDY: &str = "Check that mongod runs there and listens on this address (net.bindIp), that no firewall or \
    security group stands between, and, at a hosted service, that this machine is on its IP access list or in its VPN.";

/// Members that only the cluster told of.
fn other_members(side: Side, members: &[Host]) -> Option<Finding> {
    let failed = failures(members, |host| host.connection.as_ref().err());
    if failed.is_empty() {
        return None;
    }
    let reason = "The replica set's configuration names it; when it becomes primary, the migration can't go on.";
    Some(handshake(side).warns(Trouble::new(failed.join("; "), reason, REACH_REMEDY)))
}

fn failures<'a>(
    hosts: impl IntoIterator<Item = &'a Host>,
    failure: impl Fn(&'a Host) -> Option<&'a String>,
) -> Vec<String> {
    let failed = hosts.into_iter().filter_map(|host| failure(host).map(|reason| format!("{}: {reason}", host.name)));
    failed.collect()
}

/// Asks one host directly why the cluster as a whole gave no primary.
async fn diagnose(side: Side, uri: &str, named: &[Host], error: &MongoError) -> Finding {
    let Some(host) = named.iter().find(|host| host.connection.is_ok()) else {
        return unexplained(side, uri, error);
    };
    let member = match Cluster::connect_member(uri, &host.name, APP_NAME).await {
        Ok(member) => member,
        Err(error @ MongoError::AuthenticationRefused { .. }) => return login::refused(side, &error),
        Err(error) => return unexplained(side, uri, &error),
    };
    let found = facts(&member).await;
    member.shutdown().await;
    match found {
        Ok(facts) => explain(side, uri, &host.name, &facts, error).await,
        Err(error) => unexplained(side, uri, &error),
    }
}

async fn explain(side: Side, uri: &str, host: &str, facts: &ClusterFacts, error: &MongoError) -> Finding {
    if matches!(facts.topology, Topology::Standalone | Topology::Mongos) {
        return topology::check(side, facts);
    }
    let wanted = option_of_uri(uri, "replicaSet");
    if let (Some(wanted), Some(set)) = (wanted, &facts.set_name)
        && wanted != set
    {
        return handshake(side).fails(Trouble::new(
            format!("{host} belongs to the replica set {set}, the connection string names {wanted}"),
            "The string leads to another cluster than it says.",
            format!("Write replicaSet={set} if this is the right cluster, or name the hosts of {wanted}."),
        ));
    }
    let members = look_up(facts.hosts.clone()).await;
    let failed = failures(&members, |host| host.connection.as_ref().err());
    if !failed.is_empty() && facts.primary.is_some() {
        return handshake(side).fails(Trouble::new(
            format!("{host} answers, but members are not reachable from here: {}", failed.join("; ")),
            "Drivers reach a replica set by the names in its configuration, not by those in the connection string.",
            "Make those names resolve and answer here (DNS, /etc/hosts, firewall), or add directConnection=true to \
             use the named host alone, which must be the primary.",
        ));
    }
    if facts.primary.is_none() {
        return handshake(side).fails(Trouble::new(
            format!("{host} answers, but its replica set has no primary"),
            "Without a primary nothing can be written, nor be read safely.",
            "Look at rs.status() there: a majority of the voting members must run and see one another.",
        ));
    }
    unexplained(side, uri, error)
}

fn unexplained(side: Side, uri: &str, error: &MongoError) -> Finding {
    let tls = if asks_for_tls(uri) {
        "The connection string asks for TLS: check that the server speaks it, and give its authority as tlsCAFile=PATH."
    } else {
        "If the server requires TLS, add tls=true (and tlsCAFile=PATH for an authority of your own) to the string."
    };
    let found = with_causes(error);
    handshake(side).fails(Trouble::new(found, "Connections are accepted, but the MongoDB handshake failed.", tls))
}
