//! MF-V01: the hosts of the connection string have addresses.

use mongoferry_mongo::MongoError;
use mongoferry_protocol::Finding;

use crate::{
    check::{Check, Trouble, with_causes},
    cluster_observation::Side,
    host_trouble::HostTrouble,
    hosts::Host,
};

fn names(side: Side) -> Check {
    Check::new("MF-V01", format!("{side}: host names resolve"))
}

pub(crate) fn check(side: Side, hosts: &[Host]) -> Option<Finding> {
    let unknown: Vec<String> = hosts
        .iter()
        .filter(|host| matches!(host.answer, Err(HostTrouble::NoName(_))))
        .filter_map(|host| Some(host.answer.as_ref().err()?.found(&host.name)))
        .collect();
    if hosts.is_empty() {
        return None;
    }
    if unknown.is_empty() {
        let all: Vec<&str> = hosts.iter().map(|host| host.name.as_str()).collect();
        return Some(names(side).passes(all.join(", ")));
    }
    let remedy = HostTrouble::NoName(String::new()).remedy();
    Some(if unknown.len() == hosts.len() {
        names(side).fails(Trouble::new(unknown.join("; "), "No other host is left to begin with.", remedy))
    } else {
        let reason = "Another host may do to begin with; when this one becomes primary, the migration can't go on.";
        names(side).warns(Trouble::new(unknown.join("; "), reason, remedy))
    })
}

/// For a `mongodb+srv` name that DNS does not know.
pub(crate) fn unknown_service(side: Side, error: &MongoError) -> Finding {
    names(side).fails(Trouble::new(
        with_causes(error),
        "A mongodb+srv string stands for the hosts of the SRV record _mongodb._tcp.NAME.",
        "Correct the name, look the record up (dig SRV _mongodb._tcp.NAME), or write the hosts out: \
         mongodb://host1,host2/?replicaSet=…&tls=true.",
    ))
}
