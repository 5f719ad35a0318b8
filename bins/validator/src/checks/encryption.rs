//! MF-V25: what leaves this machine is encrypted. Pure.

use std::net::SocketAddr;

use mongoferry_protocol::Finding;

use crate::{
    check::{Check, Trouble},
    cluster_observation::Side,
    hosts::{asks_for_tls, is_remote},
};

pub(crate) fn check(side: Side, uri: &str, addresses: &[SocketAddr]) -> Finding {
    let check = Check::new("MF-V25", format!("{side}: network encryption"));
    if asks_for_tls(uri) {
        check.passes("TLS")
    } else if is_remote(addresses) {
        check.warns(Trouble::new(
            "no TLS to another machine",
            "Documents and oplog entries can be read and changed on the way.",
            "Enable TLS on the cluster and add tls=true to the connection string, or use a private network.",
        ))
    } else {
        check.passes("none; nothing leaves this machine")
    }
}
