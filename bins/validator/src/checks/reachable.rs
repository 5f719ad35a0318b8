//! MF-V02: every host accepts connections and answers. MF-V03: with TLS, if TLS is asked for, and without, if not.

use mongoferry_mongo::Cluster;
use mongoferry_protocol::Finding;

use crate::{
    check::{Check, Trouble},
    cluster_observation::Side,
    greeting::Greeting,
    host_trouble::HostTrouble,
    hosts::{Encryption, Host},
};

pub(crate) fn reachable(side: Side) -> Check {
    Check::new("MF-V02", format!("{side}: reachable"))
}

fn encrypted(side: Side) -> Check {
    Check::new("MF-V03", format!("{side}: TLS"))
}

/// The hosts of the connection string. One that answers is enough to begin with.
pub(crate) fn named_hosts(side: Side, hosts: &[Host], encryption: &Encryption) -> Vec<Finding> {
    let answering = hosts.iter().any(|host| host.answer.is_ok());
    let reason = if answering {
        "Another host answers, so the migration can begin; when this one becomes primary, it can't go on."
    } else {
        "No other host is left to begin with."
    };
    let mut findings = troubles(side, hosts, !answering, reason);
    let greeted = |host: &Host| matches!(&host.answer, Ok(Some(Greeting { .. })));
    if hosts.iter().any(greeted) && hosts.iter().all(|host| !matches!(host.answer, Err(HostTrouble::Tls(_)))) {
        findings.push(encrypted(side).passes(match encryption {
            Encryption::Tls(_) => "the certificates are trusted, valid, and for these names",
            Encryption::None | Encryption::Untried => "neither asked for nor required",
        }));
    }
    findings
}

/// Members that only the cluster told of.
pub(crate) fn other_members(side: Side, members: &[Host]) -> Vec<Finding> {
    let reason = "The replica set's configuration names it; when it becomes primary, the migration can't go on.";
    troubles(side, members, false, reason)
}

/// For a cluster whose members' own names lead nowhere.
pub(crate) fn one_host_alone(side: Side, cluster: &Cluster) -> Option<Finding> {
    let host = cluster.only_host()?;
    Some(reachable(side).warns(Trouble::new(
        format!("the names in the replica set's configuration lead nowhere from here; {host}, the primary, is used alone"),
        "After an election the migration finds no other member and stops until this one is primary again.",
        "Make the members' names resolve and answer here (DNS, /etc/hosts, firewall), or change them with rs.reconfig().",
    )))
}

/// A finding for each kind of trouble, since each has its own remedy.
fn troubles(side: Side, hosts: &[Host], fatal: bool, reason: &str) -> Vec<Finding> {
    let mut remaining: Vec<(&str, &HostTrouble)> =
        hosts.iter().filter_map(|host| Some((host.name.as_str(), host.answer.as_ref().err()?))).collect();
    remaining.retain(|(_, trouble)| !matches!(trouble, HostTrouble::NoName(_)));
    let mut findings = Vec::new();
    while let Some((_, first)) = remaining.first().copied() {
        let alike = |trouble: &HostTrouble| trouble.remedy() == first.remedy();
        let found: Vec<String> =
            remaining.iter().filter(|(_, trouble)| alike(trouble)).map(|(host, trouble)| trouble.found(host)).collect();
        let check = if matches!(first, HostTrouble::Tls(_)) { encrypted(side) } else { reachable(side) };
        let trouble = Trouble::new(found.join("; "), reason, first.remedy());
        let may_pass = matches!(first, HostTrouble::Refused(_) | HostTrouble::Filtered(_) | HostTrouble::Silent(_));
        findings.push(if fatal { check.fails_for_now(trouble, may_pass) } else { check.warns(trouble) });
        remaining.retain(|(_, trouble)| !alike(trouble));
    }
    findings
}
