//! The page at `/`: the state of the migration, and its orders, for a browser. Plain files, compiled in; nothing is loaded from
//! elsewhere. They hold no data, so they need no token.

use axum::{
    Router,
    http::{HeaderName, header},
    routing::get,
};

/// No text of a cluster can become a script: the page sets text as text only, and the browser is told to refuse the rest.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

/// Path, type and text.
const FILES: [(&str, &str, &str); 21] = [
    ("/", "text/html; charset=utf-8", include_str!("../../page/index.html")),
    ("/page/icon.svg", "image/svg+xml", include_str!("../../page/icon.svg")),
    ("/page/page.css", STYLE, include_str!("../../page/page.css")),
    ("/page/parts.css", STYLE, include_str!("../../page/parts.css")),
    ("/page/page.js", SCRIPT, include_str!("../../page/page.js")),
    ("/page/amounts.js", SCRIPT, include_str!("../../page/amounts.js")),
    ("/page/api.js", SCRIPT, include_str!("../../page/api.js")),
    ("/page/begin.js", SCRIPT, include_str!("../../page/begin.js")),
    ("/page/checks.js", SCRIPT, include_str!("../../page/checks.js")),
    ("/page/copy.js", SCRIPT, include_str!("../../page/copy.js")),
    ("/page/cutover.js", SCRIPT, include_str!("../../page/cutover.js")),
    ("/page/element.js", SCRIPT, include_str!("../../page/element.js")),
    ("/page/lag.js", SCRIPT, include_str!("../../page/lag.js")),
    ("/page/long_list.js", SCRIPT, include_str!("../../page/long_list.js")),
    ("/page/orders.js", SCRIPT, include_str!("../../page/orders.js")),
    ("/page/phases.js", SCRIPT, include_str!("../../page/phases.js")),
    ("/page/problems.js", SCRIPT, include_str!("../../page/problems.js")),
    ("/page/report.js", SCRIPT, include_str!("../../page/report.js")),
    ("/page/silence.js", SCRIPT, include_str!("../../page/silence.js")),
    ("/page/standing.js", SCRIPT, include_str!("../../page/standing.js")),
    ("/page/walk.js", SCRIPT, include_str!("../../page/walk.js")),
];

/// The page itself.
pub async fn index() -> impl axum::response::IntoResponse {
    let (_, kind, text) = FILES[0];
    (headers(kind), text)
}

/// What the page is made of, beside itself.
pub fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    FILES.into_iter().skip(1).fold(Router::new(), |router, (path, kind, text)| {
        router.route(path, get(move || async move { (headers(kind), text) }))
    })
}

/// The files are those of the running binary: a browser that kept those of another version would misread its answers.
fn headers(kind: &'static str) -> [(HeaderName, &'static str); 5] {
    [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ]
}

#[cfg(test)]
mod tests {
    use super::FILES;

    #[test]
    fn every_file_that_is_asked_for_is_served_and_every_file_is_asked_for() {
        let all: String = FILES.iter().map(|(_, _, text)| *text).collect();
        for (path, _, _) in FILES.iter().filter(|(path, _, _)| *path != "/") {
            let name = path.trim_start_matches("/page/");
            assert!(all.contains(&format!("\"{path}\"")) || all.contains(&format!("\"./{name}\"")), "{path}");
        }
        for asked in all.split("from \"./").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(FILES.iter().any(|(path, _, _)| *path == format!("/page/{asked}")), "{asked}");
        }
    }

    /// What would make a script or a request of somebody's text.
    #[test]
    fn text_is_only_ever_set_as_text() {
        let refused =
            ["innerHTML =", "outerHTML =", "insertAdjacentHTML", "document.write", "eval(", "http://", "https://"];
        for (path, _, text) in FILES {
            let text = text.replace("http://www.w3.org/2000/svg", "");
            for part in refused {
                assert!(!text.contains(part), "{part} in {path}");
            }
        }
    }
}
