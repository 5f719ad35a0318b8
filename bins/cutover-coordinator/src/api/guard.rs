//! Who may call. A web page from elsewhere that makes a browser call us, or that has its own name resolve to our address,
//! must not be able to press commit: so the Host must be ours and the Origin, if any, the same.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    middleware::Next,
    response::Response,
};

use super::answers::failure;

/// The token that callers must bear, if one is set. Cheap to clone.
#[derive(Clone)]
pub struct Guard(Option<Arc<str>>);

impl Guard {
    pub fn new(token: Option<String>) -> Self {
        Self(token.map(Into::into))
    }
}

pub async fn check_host_and_origin(State(Guard(token)): State<Guard>, request: Request, next: Next) -> Response {
    if admits(request.headers(), token.is_some()) {
        return next.run(request).await;
    }
    let hint =
        "Call the API by the address it listens on, such as http://127.0.0.1:27182, and not from a foreign page.";
    failure(StatusCode::FORBIDDEN, "MF-API-3", "the request's Host or Origin is not this API's", hint)
}

pub async fn check_token(State(Guard(token)): State<Guard>, request: Request, next: Next) -> Response {
    match token {
        Some(token) if !bears(request.headers(), &token) => {
            let hint = "Send `Authorization: Bearer …` with the token of MONGOFERRY_API_TOKEN.";
            failure(StatusCode::UNAUTHORIZED, "MF-API-4", "the request does not bear the API's token", hint)
        }
        _ => next.run(request).await,
    }
}

/// With a token, any name of the host is fine: who knows the token needs no browser to be tricked.
fn admits(headers: &HeaderMap, has_token: bool) -> bool {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or(""));
    let Some(host) = text(header::HOST) else { return false };
    let origin_is_ours = match text(header::ORIGIN) {
        None => true,
        Some(origin) => origin.split_once("://").is_some_and(|(_, origin_host)| origin_host == host),
    };
    origin_is_ours && (has_token || is_loopback(host))
}

fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or(""),
        None => host.split(':').next().unwrap_or(""),
    };
    name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Compares in a time that does not depend on where the two differ.
fn bears(headers: &HeaderMap, token: &str) -> bool {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or("");
    let given = given.strip_prefix("Bearer ").unwrap_or("").as_bytes();
    let differing = given.iter().zip(token.as_bytes()).fold(0, |differing, (a, b)| differing | (a ^ b));
    given.len() == token.len() && differing == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(host: &str, origin: Option<&str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().expect("a header value"));
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().expect("a header value"));
        }
        headers
    }

    #[test]
    fn foreign_pages_and_names_are_refused() {
        for (host, origin, admitted) in [
            ("127.0.0.1:27182", None, true),
            ("localhost:27182", None, true),
            ("[::1]:27182", None, true),
            ("127.0.0.1:27182", Some("http://127.0.0.1:27182"), true),
            ("127.0.0.1:27182", Some("http://evil.example"), false),
            ("127.0.0.1:27182", Some("null"), false),
            ("evil.example:27182", None, false),
            ("evil.example:27182", Some("http://evil.example:27182"), false),
            ("127.0.0.1.evil.example", None, false),
        ] {
            assert_eq!(admits(&headers(host, origin), false), admitted, "{host} {origin:?}");
        }
        assert!(!admits(&HeaderMap::new(), false));
        assert!(admits(&headers("migration.internal:27182", None), true));
    }

    #[test]
    fn the_token_must_be_whole() {
        let with = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, value.parse().expect("a header value"));
            headers
        };
        assert!(bears(&with("Bearer abc"), "abc"));
        for wrong in ["Bearer ab", "Bearer abcd", "abc", "Basic abc", "Bearer "] {
            assert!(!bears(&with(wrong), "abc"), "{wrong}");
        }
    }
}
