//! One HTTP request on a connection of its own. No redirect is followed: a body is for the address that was given.

use std::sync::Arc;

use axum::http::{HeaderValue, Request, StatusCode, Uri, header};
use http_body_util::Full;
use hyper::{
    body::Bytes,
    client::conn::http1::handshake,
    rt::{Read, Write},
};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_rustls::{
    TlsConnector,
    rustls::{ClientConfig, Error, RootCertStore, crypto::ring, pki_types::ServerName},
};

/// Trusts the machine's own certificates, and the public ones where it has none.
pub fn tls() -> Result<Arc<ClientConfig>, Error> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    let builder = ClientConfig::builder_with_provider(ring::default_provider().into());
    let config = builder.with_safe_default_protocol_versions()?.with_root_certificates(roots).with_no_client_auth();
    Ok(Arc::new(config))
}

/// The status of the answer; or why there is none, in words without the address.
pub async fn post(request: Request<Vec<u8>>, tls: &Arc<ClientConfig>) -> Result<StatusCode, String> {
    let uri = request.uri().clone();
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let is_tls = uri.scheme_str() == Some("https");
    let port = uri.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
    let stream = TcpStream::connect((host.as_str(), port)).await.map_err(|error| format!("no connection: {error}"))?;
    let request = as_sent(request, &uri)?;
    if !is_tls {
        return send(TokioIo::new(stream), request).await;
    }
    let name = ServerName::try_from(host).map_err(|error| error.to_string())?;
    let stream = TlsConnector::from(Arc::clone(tls)).connect(name, stream).await;
    send(TokioIo::new(stream.map_err(|error| format!("no TLS: {error}"))?), request).await
}

/// A server is asked for a path; the host goes into its header.
fn as_sent(request: Request<Vec<u8>>, uri: &Uri) -> Result<Request<Full<Bytes>>, String> {
    let (mut parts, body) = request.into_parts();
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    parts.uri = path.parse().map_err(|error: axum::http::uri::InvalidUri| error.to_string())?;
    let authority = uri.authority().map(|authority| authority.as_str()).unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    parts.headers.insert(header::HOST, HeaderValue::try_from(host).map_err(|error| error.to_string())?);
    Ok(Request::from_parts(parts, Full::from(body)))
}

async fn send(
    io: impl Read + Write + Unpin + Send + 'static,
    request: Request<Full<Bytes>>,
) -> Result<StatusCode, String> {
    let (mut sender, connection) = handshake(io).await.map_err(|error| error.to_string())?;
    // Ends with the sender.
    tokio::spawn(connection);
    let answer = sender.send_request(request).await.map_err(|error| format!("no answer: {error}"))?;
    Ok(answer.status())
}
