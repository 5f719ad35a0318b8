//! TLS as the driver speaks it (rustls, the same roots), for telling apart the ways in which it goes wrong.

use std::{io, sync::Arc};

use tokio::net::TcpStream;
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        AlertDescription, CertificateError, ClientConfig, Error, RootCertStore,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, ServerName},
    },
};

use crate::{host_trouble::TlsTrouble, hosts::without_port};

/// `authorities` are those to trust, or none for the public ones. `client` is the certificate to show, with its key.
pub(crate) fn config(
    authorities: Option<Vec<CertificateDer<'static>>>,
    client: Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>,
) -> Result<Arc<ClientConfig>, Error> {
    let mut roots = RootCertStore::empty();
    match authorities {
        // One that is not understood is passed over, as the driver does.
        Some(authorities) => drop(roots.add_parsable_certificates(authorities)),
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
    }
    let builder = ClientConfig::builder_with_provider(ring::default_provider().into())
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots);
    let config = match client {
        Some((certificates, key)) => builder.with_client_auth_cert(certificates, key)?,
        None => builder.with_no_client_auth(),
    };
    Ok(Arc::new(config))
}

pub(crate) async fn handshake(
    config: &Arc<ClientConfig>,
    host: &str,
    stream: TcpStream,
) -> Result<TlsStream<TcpStream>, TlsTrouble> {
    let name = ServerName::try_from(without_port(host).to_owned())
        .map_err(|error| TlsTrouble::Other(format!("{host} is no name that a certificate could hold: {error}")))?;
    let connected = TlsConnector::from(Arc::clone(config)).connect(name, stream).await;
    connected.map_err(|error| trouble(&error, config))
}

/// Whether TLS is spoken there at all; whose certificate it is does not matter.
pub(crate) async fn is_spoken(host: &str, stream: TcpStream) -> bool {
    let Ok(config) = config(None, None) else { return false };
    match handshake(&config, host, stream).await {
        Ok(_) => true,
        Err(trouble) => !trouble.may_be_no_tls(),
    }
}

/// The first read after a handshake brings the server's opinion of our certificate; some versions just hang up.
pub(crate) fn after_handshake(error: &io::Error, config: &ClientConfig) -> TlsTrouble {
    match cause(error) {
        Some(_) => trouble(error, config),
        None if config.client_auth_cert_resolver.has_certs() => {
            TlsTrouble::ClientCertificateRefused("the connection was closed once it was shown".into())
        }
        None => TlsTrouble::ClientCertificateMissing,
    }
}

fn cause(error: &io::Error) -> Option<&Error> {
    error.get_ref()?.downcast_ref()
}

fn trouble(error: &io::Error, config: &ClientConfig) -> TlsTrouble {
    let shows_certificate = config.client_auth_cert_resolver.has_certs();
    match cause(error) {
        Some(Error::InvalidCertificate(error)) => of_certificate(error),
        Some(Error::AlertReceived(alert)) => of_alert(*alert, shows_certificate),
        Some(other) => TlsTrouble::Other(other.to_string()),
        None => TlsTrouble::Other(error.to_string()),
    }
}

fn of_certificate(error: &CertificateError) -> TlsTrouble {
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => TlsTrouble::Expired,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => TlsTrouble::NotYetValid,
        CertificateError::UnknownIssuer => TlsTrouble::UnknownIssuer,
        CertificateError::NotValidForName => TlsTrouble::WrongName(Vec::new()),
        CertificateError::NotValidForNameContext { presented, .. } => TlsTrouble::WrongName(presented.clone()),
        other => TlsTrouble::Other(other.to_string()),
    }
}

/// What the server has to say of us can only be about our certificate, or its absence.
fn of_alert(alert: AlertDescription, shows_certificate: bool) -> TlsTrouble {
    match alert {
        AlertDescription::CertificateRequired => TlsTrouble::ClientCertificateMissing,
        AlertDescription::HandshakeFailure if !shows_certificate => TlsTrouble::ClientCertificateMissing,
        AlertDescription::BadCertificate
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::CertificateRevoked
        | AlertDescription::CertificateExpired
        | AlertDescription::CertificateUnknown
        | AlertDescription::UnknownCA
        | AlertDescription::AccessDenied => TlsTrouble::ClientCertificateRefused(format!("{alert:?}")),
        other => TlsTrouble::Other(format!("the server's alert {other:?}")),
    }
}

impl TlsTrouble {
    /// The other side may not have understood a word.
    pub(crate) fn may_be_no_tls(&self) -> bool {
        matches!(self, Self::Other(_))
    }
}
