//! MF-V25: what leaves this machine is encrypted, for the right reader. Pure.

use std::net::SocketAddr;

use mongoferry_mongo::TlsPlan;
use mongoferry_protocol::Finding;

use crate::{
    check::{Check, Trouble},
    cluster_observation::Side,
    hosts::is_remote,
};

pub(crate) fn check(side: Side, tls: Option<&TlsPlan>, addresses: &[SocketAddr]) -> Finding {
    let check = Check::new("MF-V25", format!("{side}: network encryption"));
    match tls {
        Some(TlsPlan { trusts_anybody: true, .. }) => check.warns(Trouble::new(
            "TLS, but any certificate is taken for the server's",
            "Whoever stands in between can read and change documents, and learn the password.",
            "Remove tlsInsecure and tlsAllowInvalidCertificates, and give the authority as tlsCAFile=PATH.",
        )),
        Some(_) => check.passes("TLS"),
        None if is_remote(addresses) => check.warns(Trouble::new(
            "no TLS to another machine",
            "Documents and oplog entries can be read and changed on the way.",
            "Enable TLS on the cluster and add tls=true to the connection string, or use a private network.",
        )),
        None => check.passes("none; nothing leaves this machine"),
    }
}

#[cfg(test)]
mod tests {
    use mongoferry_mongo::TlsPlan;
    use mongoferry_protocol::Severity;

    use super::check;
    use crate::cluster_observation::Side;

    #[test]
    fn plain_text_to_another_machine_warns() {
        let (here, there) = (["127.0.0.1:1".parse().expect("one")], ["10.0.0.1:1".parse().expect("one")]);
        let tls = TlsPlan::default();
        let insecure = TlsPlan { trusts_anybody: true, ..TlsPlan::default() };
        for (plan, addresses, severity) in [
            (None, &here, Severity::Info),
            (None, &there, Severity::Warning),
            (Some(&tls), &there, Severity::Info),
            (Some(&insecure), &here, Severity::Warning),
        ] {
            assert_eq!(check(Side::Source, plan, addresses).severity, severity);
        }
    }
}
