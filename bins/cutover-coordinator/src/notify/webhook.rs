//! A webhook: an event as JSON, signed so that the receiver can tell who sent it, and when.

use std::{sync::Arc, time::Duration};

use axum::http::{HeaderName, HeaderValue, Request, Uri, header};
use hmac::{Hmac, KeyInit, Mac};
use mongoferry_protocol::{Event, now_ms};
use sha2::Sha256;
use tokio_rustls::rustls::ClientConfig;

use super::{
    post::{post, tls},
    target::{TargetsError, Trouble},
};

/// Of one attempt.
const PATIENCE: Duration = Duration::from_secs(10);
/// Seconds since 1970 at which it was sent.
const TIMESTAMP: HeaderName = HeaderName::from_static("mongoferry-timestamp");
/// `sha256=` and the hexadecimal HMAC-SHA256 of the timestamp, a dot, and the body.
const SIGNATURE: HeaderName = HeaderName::from_static("mongoferry-signature");
const EVENT: HeaderName = HeaderName::from_static("mongoferry-event");

pub struct Webhook {
    address: Uri,
    host: String,
    secret: Option<String>,
    tls: Arc<ClientConfig>,
}

impl Webhook {
    pub fn at(address: &str, secret: Option<String>) -> Result<Self, TargetsError> {
        let uri: Uri = address
            .parse()
            .map_err(|error: axum::http::uri::InvalidUri| TargetsError::Address { reason: error.to_string() })?;
        let host = uri.host().ok_or_else(|| TargetsError::Address { reason: "it has no host".into() })?.to_owned();
        let tls = tls().map_err(|error| TargetsError::Address { reason: error.to_string() })?;
        Ok(Self { address: uri, host, secret, tls })
    }

    /// The rest of an address is often a secret.
    pub fn host(&self) -> &str {
        &self.host
    }

    pub fn address(&self) -> String {
        self.address.to_string()
    }

    pub async fn deliver(&self, event: &Event) -> Result<(), Trouble> {
        let body = serde_json::to_vec(event).expect("an event has nothing that JSON lacks");
        let timestamp = (now_ms() / 1_000).to_string();
        let mut request = Request::post(&self.address)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::USER_AGENT, concat!("mongoferry/", env!("CARGO_PKG_VERSION")))
            .header(EVENT, event.id.as_str())
            .header(TIMESTAMP, timestamp.as_str());
        if let Some(secret) = &self.secret {
            request = request.header(SIGNATURE, signature(secret, &timestamp, &body));
        }
        let request = request.body(body).map_err(|error| Trouble::Lasting(error.to_string()))?;
        let status = match tokio::time::timeout(PATIENCE, post(request, &self.tls)).await {
            Err(_) => return Err(Trouble::Passing(format!("no answer within {} s", PATIENCE.as_secs()))),
            Ok(Err(error)) => return Err(Trouble::Passing(error)),
            Ok(Ok(status)) => status,
        };
        let may_pass = status.is_server_error() || matches!(status.as_u16(), 408 | 429);
        match status {
            status if status.is_success() => Ok(()),
            status if may_pass => Err(Trouble::Passing(format!("it answers {status}"))),
            status => Err(Trouble::Lasting(format!("it answers {status}"))),
        }
    }
}

fn signature(secret: &str, timestamp: &str, body: &[u8]) -> HeaderValue {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key of any length will do");
    mac.update(timestamp.as_bytes());
    mac.update(b".");
    mac.update(body);
    let hex: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    HeaderValue::try_from(format!("sha256={hex}")).expect("hexadecimal digits are a header's value")
}

#[cfg(test)]
mod tests {
    use super::signature;

    /// By `printf '1.body' | openssl dgst -sha256 -hmac secret`.
    #[test]
    fn is_signed_as_others_would() {
        let expected = "sha256=842b24d9575dee4b6ec460b7e3af7d683501d84fe6279102340787c79d2e2bab";
        assert_eq!(signature("secret", "1", b"body"), expected);
    }
}
