//! The hosts that a connection string or a replica set names, and what can be said of them without the driver.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use futures_util::future::join_all;
use mongoferry_mongo::LoginPlan;
use tokio::net::{TcpStream, lookup_host};
use tokio_rustls::rustls::ClientConfig;

use crate::{
    greeting::{Greeting, greet},
    host_trouble::HostTrouble,
};

/// A lookup, a connection or a greeting that takes longer counts as failed.
const PATIENCE: Duration = Duration::from_secs(5);

/// How a host is greeted once it accepts connections.
#[derive(Clone)]
pub(crate) enum Encryption {
    None,
    Tls(Arc<ClientConfig>),
    /// As the string wants it, it can't or must not be tried: the greeting is left to the driver.
    Untried,
}

pub(crate) struct Host {
    /// `host:port`.
    pub(crate) name: String,
    pub(crate) addresses: Vec<SocketAddr>,
    /// `Ok(None)`: it accepts connections and was not greeted.
    pub(crate) answer: Result<Option<Greeting>, HostTrouble>,
}

/// Looks all of them up and greets them, side by side.
pub(crate) async fn look_up(names: &[String], encryption: &Encryption, login: Option<&LoginPlan>) -> Vec<Host> {
    join_all(names.iter().map(|name| look_up_one(name, encryption, login))).await
}

async fn look_up_one(name: &str, encryption: &Encryption, login: Option<&LoginPlan>) -> Host {
    let addresses = match resolve(name).await {
        Ok(addresses) => addresses,
        Err(reason) => {
            return Host { name: name.into(), addresses: Vec::new(), answer: Err(HostTrouble::NoName(reason)) };
        }
    };
    let answer = match connect(&addresses).await {
        Ok(_) if matches!(encryption, Encryption::Untried) => Ok(None),
        Ok(stream) => {
            let greeting = greet(name, stream, &addresses, encryption, login);
            match tokio::time::timeout(PATIENCE, greeting).await {
                Ok(answer) => answer.map(Some),
                Err(_) => Err(HostTrouble::Silent(PATIENCE)),
            }
        }
        Err(trouble) => Err(trouble),
    };
    Host { name: name.into(), addresses, answer }
}

async fn resolve(host: &str) -> Result<Vec<SocketAddr>, String> {
    match tokio::time::timeout(PATIENCE, lookup_host(host)).await {
        Ok(Ok(addresses)) => Ok(addresses.collect()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
    }
}

/// A connection to any of the addresses.
pub(crate) async fn connect(addresses: &[SocketAddr]) -> Result<TcpStream, HostTrouble> {
    match tokio::time::timeout(PATIENCE, TcpStream::connect(addresses)).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) => Err(HostTrouble::Refused(error.to_string())),
        Err(_) => Err(HostTrouble::Filtered(PATIENCE)),
    }
}

/// What is sent there leaves this machine.
pub(crate) fn is_remote(addresses: &[SocketAddr]) -> bool {
    addresses.iter().map(SocketAddr::ip).any(|ip: IpAddr| !ip.to_canonical().is_loopback())
}

/// The name or address without the port and without brackets, as a certificate would hold it.
pub(crate) fn without_port(host: &str) -> &str {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    name.trim_start_matches('[').trim_end_matches(']')
}

#[cfg(test)]
mod tests {
    use super::{is_remote, without_port};

    #[test]
    fn names_as_in_certificates() {
        assert_eq!([without_port("a.b:1"), without_port("[::1]:27017")], ["a.b", "::1"]);
    }

    #[test]
    fn loopback_is_not_remote() {
        let parse = |text: &str| text.parse().expect("an address");
        assert!(!is_remote(&[parse("127.0.0.9:1"), parse("[::1]:1"), parse("[::ffff:127.0.0.1]:1")]));
        assert!(is_remote(&[parse("10.0.0.1:1")]));
    }
}
