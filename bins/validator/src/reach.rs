//! The way to one cluster: certificate files, names, connections, greeting, login. Where it ends early, it says at what.

use std::net::SocketAddr;

use mongoferry_mongo::{
    Cluster, ClusterFacts, ConnectionPlan, LoginPlan, MongoError, Topology, connection_plan, facts, identity,
};
use mongoferry_protocol::{ClusterIdentity, Finding};

use crate::{
    check::{Trouble, with_causes},
    checks::{encryption, login, members, names, pem_files, reachable, topology},
    cluster_observation::{ClusterObservation, Side},
    hosts::{Encryption, Host, look_up},
    session::Session,
};

pub(crate) const APP_NAME: &str = "mongoferry-validator";

/// What the way showed. `cluster` is absent where it ended early; then one of the findings is an error.
pub(crate) struct Reach {
    pub(crate) findings: Vec<Finding>,
    pub(crate) cluster: Option<ClusterObservation>,
}

/// Goes as far as possible. The only error is [`MongoError::MalformedUri`].
pub(crate) async fn reach(side: Side, uri: &str) -> Result<Reach, MongoError> {
    let plan = match connection_plan(uri).await {
        Ok(plan) => plan,
        Err(error @ MongoError::MalformedUri { .. }) => return Err(error),
        Err(error) => return Ok(Reach { findings: vec![names::unknown_service(side, &error)], cluster: None }),
    };
    let (mut findings, encryption) = pem_files::check(side, plan.tls.as_ref());
    let usable = encryption.is_some();
    let encryption = encryption.unwrap_or(Encryption::Untried);
    let named = look_up(&plan.hosts, &encryption, plan.login.as_ref()).await;
    findings.extend(names::check(side, &named));
    findings.extend(reachable::named_hosts(side, &named, &encryption));
    let mut addresses = addresses_of(&named);
    let mut cluster = None;
    if usable && (named.is_empty() || named.iter().any(|host| host.answer.is_ok())) {
        let way = Way { side, uri, plan: &plan, encryption: &encryption, named: &named };
        match way.connect().await {
            Ok((found, further, others)) => {
                findings.extend(further);
                addresses.extend(addresses_of(&others));
                cluster = found;
            }
            Err(error @ MongoError::MalformedUri { .. }) => return Err(error),
            Err(error) => findings.push(way.diagnose(&error).await),
        }
    }
    findings.push(encryption::check(side, plan.tls.as_ref(), &addresses));
    Ok(Reach { findings, cluster })
}

fn addresses_of(hosts: &[Host]) -> Vec<SocketAddr> {
    hosts.iter().flat_map(|host| &host.addresses).copied().collect()
}

struct Way<'a> {
    side: Side,
    uri: &'a str,
    plan: &'a ConnectionPlan,
    encryption: &'a Encryption,
    named: &'a [Host],
}

impl Way<'_> {
    /// The cluster (unless it wants a login that is not there), what was found on the way, and its other members.
    async fn connect(&self) -> Result<(Option<ClusterObservation>, Vec<Finding>, Vec<Host>), MongoError> {
        let side = self.side;
        let (cluster, facts, identity) = connect(self.uri).await?;
        let others: Vec<String> =
            facts.hosts.iter().filter(|host| self.named.iter().all(|named| named.name != **host)).cloned().collect();
        let (others, session) = tokio::join!(look_up(&others, self.encryption, None), Session::of(&cluster));
        let mut findings =
            vec![reachable::reachable(side).passes(format!("{} {}", cluster.hosts_label(), facts.version))];
        findings.extend(reachable::one_host_alone(side, &cluster));
        findings.extend(names::check(side, &others).filter(|finding| !finding.remedy.is_empty()));
        findings.extend(reachable::other_members(side, &others));
        let session = match session {
            Ok(session) => session,
            Err(error) => {
                findings.push(login::unknown(side, &error));
                return Ok((None, findings, others));
            }
        };
        if session.login_missing {
            findings.push(login::required(side));
            cluster.shutdown().await;
            return Ok((None, findings, others));
        }
        findings.push(login::accepted(side, &session.users));
        let Session { users, privileges, .. } = session;
        let cluster = ClusterObservation { side, cluster, facts, identity, users, privileges, catalog: None };
        Ok((Some(cluster), findings, others))
    }

    /// Asks one host directly why the cluster as a whole gave no primary.
    async fn diagnose(&self, error: &MongoError) -> Finding {
        if matches!(error, MongoError::AuthenticationRefused { .. }) {
            return self.login_refused(error);
        }
        let Some(host) = self.named.iter().find(|host| host.answer.is_ok()) else {
            return self.unexplained(error);
        };
        let member = match Cluster::connect_member(self.uri, &host.name, APP_NAME).await {
            Ok(member) => member,
            Err(error @ MongoError::AuthenticationRefused { .. }) => return self.login_refused(&error),
            Err(error) => return self.unexplained(&error),
        };
        let found = facts(&member).await;
        member.shutdown().await;
        match found {
            Ok(facts) => self.explain(&host.name, &facts, error).await,
            Err(error) => self.unexplained(&error),
        }
    }

    fn login_refused(&self, error: &MongoError) -> Finding {
        let greetings = self.named.iter().filter_map(|host| host.answer.as_ref().ok()?.as_ref());
        let mechanisms = greetings.map(|greeting| greeting.mechanisms.as_slice()).next().unwrap_or_default();
        let login: Option<&LoginPlan> = self.plan.login.as_ref();
        login::refused(self.side, login, mechanisms, error)
    }

    async fn explain(&self, host: &str, facts: &ClusterFacts, error: &MongoError) -> Finding {
        let side = self.side;
        if matches!(facts.topology, Topology::Standalone | Topology::Mongos) {
            return topology::check(side, facts);
        }
        if let (Some(wanted), Some(set)) = (&self.plan.replica_set, &facts.set_name)
            && wanted != set
        {
            return reachable::reachable(side).fails(Trouble::new(
                format!("{host} belongs to the replica set {set}, the connection string names {wanted}"),
                "The string leads to another cluster than it says.",
                format!("Write replicaSet={set} if this is the right cluster, or name the hosts of {wanted}."),
            ));
        }
        if facts.primary.is_none() {
            return members::no_primary(side, host);
        }
        let members = look_up(&facts.hosts, self.encryption, None).await;
        let failed: Vec<String> =
            members.iter().filter_map(|host| Some(host.answer.as_ref().err()?.found(&host.name))).collect();
        if failed.is_empty() {
            return self.unexplained(error);
        }
        reachable::reachable(side).fails(Trouble::new(
            format!("{host} answers, but members are not reachable from here: {}", failed.join("; ")),
            "Drivers reach a replica set by the names in its configuration, not by those in the connection string.",
            "Make those names resolve and answer here (DNS, /etc/hosts, firewall), or name the primary: where its own \
             name leads nowhere, the named host is used alone.",
        ))
    }

    fn unexplained(&self, error: &MongoError) -> Finding {
        let trouble = Trouble::new(
            with_causes(error),
            "Connections are accepted, but no primary was found through them.",
            "Look at rs.status() and mongod's log there; if TLS is asked for, check that every member speaks it.",
        );
        let may_pass = matches!(error, MongoError::Unreachable { .. } | MongoError::Interrupted { .. });
        reachable::reachable(self.side).fails_for_now(trouble, may_pass)
    }
}

async fn connect(uri: &str) -> Result<(Cluster, ClusterFacts, ClusterIdentity), MongoError> {
    let cluster = Cluster::connect(uri, APP_NAME).await?;
    let (facts, identity) = tokio::try_join!(facts(&cluster), identity(&cluster))?;
    Ok((cluster, facts, identity))
}
