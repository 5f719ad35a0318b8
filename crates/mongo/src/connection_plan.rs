//! What a connection string asks for, as the driver understands it: for looking at the way before the driver takes it.

use std::path::PathBuf;

use mongodb::options::{AuthMechanism, ClientOptions, Credential, ServerAddress, Tls, TlsOptions};

use crate::{
    connection_string::{hosts_label, malformed, syntax},
    error::MongoError,
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionPlan {
    /// `host:port` of each host, those of a `mongodb+srv` name by its SRV record.
    pub hosts: Vec<String>,
    /// Absent where the string asks for none.
    pub tls: Option<TlsPlan>,
    pub login: Option<LoginPlan>,
    /// The name the set must have.
    pub replica_set: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsPlan {
    /// The authorities to trust; without it those that browsers trust.
    pub ca_file: Option<PathBuf>,
    /// The client's certificate and key.
    pub certificate_file: Option<PathBuf>,
    /// Certificates are taken unseen.
    pub trusts_anybody: bool,
}

/// Holds no password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginPlan {
    /// Absent where the certificate names the user.
    pub user: Option<String>,
    pub database: String,
    /// Absent where it is negotiated with the server.
    pub mechanism: Option<&'static str>,
}

/// Parses the string, looking up a `mongodb+srv` name. Errors: [`MongoError::MalformedUri`], and
/// [`MongoError::Unreachable`] for a name that DNS does not know.
pub async fn connection_plan(uri: &str) -> Result<ConnectionPlan, MongoError> {
    let label = hosts_label(&syntax(uri)?);
    let options = match ClientOptions::parse(uri).await {
        Ok(options) => options,
        Err(error) if matches!(&*error.kind, mongodb::error::ErrorKind::InvalidArgument { .. }) => {
            return Err(malformed(uri, &error));
        }
        Err(error) => return Err(MongoError::of_driver(&label, "the DNS lookup", &error)),
    };
    let tls = match &options.tls {
        Some(Tls::Enabled(tls)) => Some(tls_plan(tls)),
        Some(Tls::Disabled) | None => None,
    };
    Ok(ConnectionPlan {
        hosts: options.hosts.iter().filter_map(tcp_host).collect(),
        tls,
        login: options.credential.as_ref().map(login_plan),
        replica_set: options.repl_set_name.clone(),
    })
}

/// `None` for a Unix domain socket.
fn tcp_host(address: &ServerAddress) -> Option<String> {
    match address {
        ServerAddress::Tcp { .. } => Some(address.to_string()),
        _ => None,
    }
}

fn tls_plan(tls: &TlsOptions) -> TlsPlan {
    TlsPlan {
        ca_file: tls.ca_file_path.clone(),
        certificate_file: tls.cert_key_file_path.clone(),
        trusts_anybody: tls.allow_invalid_certificates.unwrap_or(false),
    }
}

fn login_plan(credential: &Credential) -> LoginPlan {
    LoginPlan {
        user: credential.username.clone(),
        database: credential.source.clone().unwrap_or_else(|| "admin".into()),
        mechanism: credential.mechanism.as_ref().map(AuthMechanism::as_str),
    }
}

#[cfg(test)]
mod tests {
    use super::{ConnectionPlan, LoginPlan, TlsPlan, connection_plan};
    use crate::MongoError;

    #[tokio::test]
    async fn what_the_string_asks_for() {
        let plan =
            connection_plan("mongodb://u:p@a:1,b/?tls=true&tlsCAFile=%2Ftmp%2Fca.pem&authSource=shop&replicaSet=rs")
                .await;
        let tls = TlsPlan { ca_file: Some("/tmp/ca.pem".into()), ..TlsPlan::default() };
        let login = LoginPlan { user: Some("u".into()), database: "shop".into(), mechanism: None };
        let hosts = vec!["a:1".to_owned(), "b:27017".to_owned()];
        assert_eq!(
            plan.expect("valid"),
            ConnectionPlan { hosts, tls: Some(tls), login: Some(login), replica_set: Some("rs".into()) }
        );
        let plain = connection_plan("mongodb://a").await.expect("valid");
        assert_eq!((plain.tls, plain.login), (None, None));
    }

    #[tokio::test]
    async fn an_unknown_service_name_is_not_a_malformed_string() {
        let error = connection_plan("mongodb+srv://cluster.example.invalid").await.expect_err("no such name");
        assert!(matches!(error, MongoError::Unreachable { .. }), "{error:?}");
    }
}
