//! What can be said of a connection string without connecting, and how it is shown: never with its secrets.

use mongodb::options::{ConnectionString, HostInfo};

use crate::error::{Cause, MongoError};

/// Checks the syntax. A `mongodb+srv` name is not looked up.
pub fn parse_uri(uri: &str) -> Result<(), MongoError> {
    syntax(uri).map(|_| ())
}

pub(crate) fn syntax(uri: &str) -> Result<ConnectionString, MongoError> {
    ConnectionString::parse(uri).map_err(|error| malformed(uri, &error))
}

pub(crate) fn malformed(uri: &str, error: &mongodb::error::Error) -> MongoError {
    // The driver's message may quote a part of the string; none that holds the password passes.
    let mut message = error.kind.to_string();
    for secret in secrets(uri) {
        message = message.replace(secret, "…");
    }
    MongoError::MalformedUri { uri: uri_without_secrets(uri), cause: Cause::new(None, &message) }
}

/// Scheme and hosts alone: `mongodb://host1:27017,host2:27017`.
pub fn uri_without_secrets(uri: &str) -> String {
    let Some((scheme, rest)) = uri.split_once("://") else {
        return "…".into();
    };
    // A password may hold an unescaped `/`, `?` or `@` by mistake: nothing up to the last `@` is shown.
    let behind = rest.rsplit_once('@').map_or(rest, |(_, behind)| behind);
    let hosts = behind.split(['/', '?']).next().unwrap_or_default();
    format!("{scheme}://{hosts}")
}

/// `rs/host1:27017,host2:27017`, or the hosts alone where the string names no replica set.
pub(crate) fn hosts_label(parsed: &ConnectionString) -> String {
    let hosts = match &parsed.host_info {
        HostInfo::HostIdentifiers(hosts) => hosts.iter().map(ToString::to_string).collect::<Vec<_>>().join(","),
        HostInfo::DnsRecord(name) => name.clone(),
        _ => "unknown".into(),
    };
    match &parsed.replica_set {
        Some(set) => format!("{set}/{hosts}"),
        None => hosts,
    }
}

fn secrets(uri: &str) -> Vec<&str> {
    let rest = uri.split_once("://").map_or(uri, |(_, rest)| rest);
    let Some((login, _)) = rest.rsplit_once('@') else {
        return Vec::new();
    };
    let password = login.split_once(':').map(|(_, password)| password);
    [Some(login), password].into_iter().flatten().filter(|secret| !secret.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::{hosts_label, parse_uri, syntax, uri_without_secrets};

    #[test]
    fn no_secret_is_shown() {
        let cases = [
            ("mongodb://u:s3cret@a:1,b:2/?replicaSet=rs", "mongodb://a:1,b:2"),
            ("mongodb://u:s3/cr@et@a:1", "mongodb://a:1"),
            ("mongodb+srv://u:p@cluster.example.net/db?tls=true", "mongodb+srv://cluster.example.net"),
            ("mongodb://a:1", "mongodb://a:1"),
            ("u:p@a", "…"),
        ];
        for (uri, shown) in cases {
            assert_eq!(uri_without_secrets(uri), shown);
        }
        for bad in
            ["mongodb://u:s3/cr@et@a:1", "mongodb://u:s3%zzcret@a:1", "mongodb://u:s3cret@a:99999999", "x://u:s3cret@a"]
        {
            let error = parse_uri(bad).expect_err(bad);
            let shown = format!("{error} {error:?} {}", std::error::Error::source(&error).expect("a cause"));
            assert!(!shown.contains("s3"), "{shown}");
        }
    }

    #[test]
    fn syntax_alone_is_checked() {
        for good in ["mongodb://127.0.0.1:27017/?replicaSet=rs0", "mongodb+srv://cluster.example.invalid"] {
            assert!(parse_uri(good).is_ok(), "{good}");
        }
        for bad in ["", "127.0.0.1:27017", "http://a", "mongodb://", "mongodb://a/?replicaSet"] {
            assert!(parse_uri(bad).is_err(), "{bad}");
        }
        let parsed = syntax("mongodb://u:p@a:1,b:2/?replicaSet=rs").expect("valid");
        assert_eq!(hosts_label(&parsed), "rs/a:1,b:2");
    }
}
