//! The hosts that a connection string or a replica set names, and what can be said of them without the driver.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use mongoferry_mongo::uri_without_secrets;
use tokio::net::{TcpStream, lookup_host};

const DEFAULT_PORT: u16 = 27017;
/// A lookup, or a connection, that takes longer counts as failed.
const PATIENCE: Duration = Duration::from_secs(4);

/// `host:port` of each host in the string; empty for `mongodb+srv`, whose hosts only DNS knows.
pub(crate) fn hosts_of_uri(uri: &str) -> Vec<String> {
    match uri_without_secrets(uri).split_once("://") {
        Some(("mongodb", hosts)) => hosts.split(',').filter(|host| !host.is_empty()).map(with_port).collect(),
        _ => Vec::new(),
    }
}

fn with_port(host: &str) -> String {
    let behind_address = host.rsplit_once(']').map_or(host, |(_, behind)| behind);
    if behind_address.contains(':') { host.to_owned() } else { format!("{host}:{DEFAULT_PORT}") }
}

/// Whether the string asks for TLS: it says so, or is a `mongodb+srv` one that does not say no.
pub(crate) fn asks_for_tls(uri: &str) -> bool {
    let said = option_of_uri(uri, "tls").or_else(|| option_of_uri(uri, "ssl"));
    said.map_or_else(|| uri.starts_with("mongodb+srv://"), |value| value == "true")
}

/// The value of an option of the connection string.
pub(crate) fn option_of_uri<'a>(uri: &'a str, wanted: &str) -> Option<&'a str> {
    let (_, options) = uri.rsplit_once('?')?;
    let mut options = options.split('&').filter_map(|option| option.split_once('='));
    options.find_map(|(name, value)| name.eq_ignore_ascii_case(wanted).then_some(value))
}

/// What a host's name stands for.
pub(crate) async fn resolve(host: &str) -> Result<Vec<SocketAddr>, String> {
    match tokio::time::timeout(PATIENCE, lookup_host(host)).await {
        Ok(Ok(addresses)) => Ok(addresses.collect()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
    }
}

/// Whether anything accepts connections at one of the addresses.
pub(crate) async fn accepts_connections(addresses: &[SocketAddr]) -> Result<(), String> {
    match tokio::time::timeout(PATIENCE, TcpStream::connect(addresses)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
    }
}

/// What is sent there leaves this machine.
pub(crate) fn is_remote(addresses: &[SocketAddr]) -> bool {
    addresses.iter().map(SocketAddr::ip).any(|ip: IpAddr| !ip.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::{asks_for_tls, hosts_of_uri, is_remote};

    #[test]
    fn hosts_come_with_ports() {
        let cases: [(&str, &[&str]); 4] = [
            ("mongodb://u:p@a:1,b/?replicaSet=rs", &["a:1", "b:27017"]),
            ("mongodb://[::1],[::2]:7", &["[::1]:27017", "[::2]:7"]),
            ("mongodb://u:p%40x@a", &["a:27017"]),
            ("mongodb+srv://cluster.example.net", &[]),
        ];
        for (uri, hosts) in cases {
            assert_eq!(hosts_of_uri(uri), hosts, "{uri}");
        }
    }

    #[test]
    fn tls_by_the_string() {
        for (uri, tls) in [
            ("mongodb://a", false),
            ("mongodb://a/?tls=true", true),
            ("mongodb://a/?replicaSet=rs&SSL=true", true),
            ("mongodb+srv://a", true),
            ("mongodb+srv://a/?tls=false", false),
        ] {
            assert_eq!(asks_for_tls(uri), tls, "{uri}");
        }
    }

    #[test]
    fn loopback_is_not_remote() {
        let parse = |text: &str| text.parse().expect("an address");
        assert!(!is_remote(&[parse("127.0.0.9:1"), parse("[::1]:1"), parse("[::ffff:127.0.0.1]:1")]));
        assert!(is_remote(&[parse("10.0.0.1:1")]));
    }
}
