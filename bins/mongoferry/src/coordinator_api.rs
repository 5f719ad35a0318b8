//! The coordinator's HTTP API as the command uses it.

use std::time::Duration;

use mongoferry_protocol::{MigrationStatus, Report, Throttle, ValidationReport};
use reqwest::{Client, Method};
use serde::de::DeserializeOwned;

use crate::launcher_error::LauncherError;

const TIMEOUT: Duration = Duration::from_secs(10);
/// A coordinator that finds a cluster away takes its time before it carries an order out, and once more for the order.
const ORDER_TIMEOUT: Duration = Duration::from_secs(60);
/// Of an answer that makes no sense, this much is shown.
const SHOWN_CHARACTERS: usize = 300;

/// What an operator can tell a migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    Start,
    Pause,
    Resume,
    Commit {
        /// Also without the indexes that the destination can't build.
        accept_missing_indexes: bool,
        /// Keep users from writing to the source.
        block_writes: bool,
    },
    Cancel,
    Extend,
    /// Compare again what is known to differ, and copy it again for a repair.
    Verify {
        repair: bool,
    },
}

#[derive(Clone)]
pub struct CoordinatorApi {
    base: String,
    token: Option<String>,
    client: Client,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Refusal {
    error: Option<String>,
    error_description: Option<String>,
    hint: Option<String>,
}

impl CoordinatorApi {
    /// `base` such as `http://127.0.0.1:27182`; `token` for a coordinator that wants one.
    pub fn new(base: &str, token: Option<String>) -> Result<Self, LauncherError> {
        if !base.starts_with("http://") {
            return Err(LauncherError::ApiAddress { api: base.to_owned() });
        }
        // A coordinator is on this machine or in its network: what a browser's proxy settings say is not meant for it.
        let client = Client::builder().no_proxy().timeout(TIMEOUT).build().expect("a client without TLS needs nothing");
        Ok(Self { base: base.trim_end_matches('/').to_owned(), token, client })
    }

    pub fn base(&self) -> &str {
        &self.base
    }

    pub async fn status(&self) -> Result<MigrationStatus, LauncherError> {
        self.parse(&self.status_json().await?)
    }

    /// The answer as it came.
    pub async fn status_json(&self) -> Result<String, LauncherError> {
        self.ask(Method::GET, "migration", None).await
    }

    /// What the validator found last.
    pub async fn validation(&self) -> Result<ValidationReport, LauncherError> {
        self.parse(&self.ask(Method::GET, "validation", None).await?)
    }

    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// What is answered there, whatever it is.
    pub async fn text(&self, path: &str) -> Result<String, LauncherError> {
        let unreachable = |source| LauncherError::ApiUnreachable { api: self.base.clone(), source };
        let mut request = self.client.get(format!("{}{path}", self.base));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        let answer = request.send().await.map_err(unreachable)?;
        let status = answer.status();
        let text = answer.text().await.map_err(unreachable)?;
        if status.is_success() { Ok(text) } else { Err(self.foreign(&format!("{status}: {text}"))) }
    }

    pub async fn report(&self) -> Result<Report, LauncherError> {
        self.parse(&self.report_json().await?)
    }

    pub async fn report_json(&self) -> Result<String, LauncherError> {
        self.ask(Method::GET, "report", None).await
    }

    /// Limits that are not in it are lifted.
    pub async fn throttle(&self, throttle: &Throttle) -> Result<(), LauncherError> {
        let request = serde_json::to_value(throttle).expect("limits are plain data");
        self.ask(Method::POST, "throttle", Some(request)).await.map(drop)
    }

    pub async fn order(&self, order: Order) -> Result<(), LauncherError> {
        let nothing = serde_json::json!({});
        let (name, request) = match order {
            Order::Start => ("start", nothing),
            Order::Pause => ("pause", nothing),
            Order::Resume => ("resume", nothing),
            Order::Commit { accept_missing_indexes, block_writes } => {
                let wanted = serde_json::json!({
                    "acceptMissingIndexes": accept_missing_indexes, "blockWrites": block_writes,
                });
                ("commit", wanted)
            }
            Order::Cancel => ("cancel", nothing),
            Order::Extend => ("extend", nothing),
            Order::Verify { repair } => ("verify", serde_json::json!({"repair": repair})),
        };
        self.ask(Method::POST, name, Some(request)).await.map(drop)
    }

    async fn ask(&self, method: Method, name: &str, body: Option<serde_json::Value>) -> Result<String, LauncherError> {
        let unreachable = |source| LauncherError::ApiUnreachable { api: self.base.clone(), source };
        let mut request = self.client.request(method, format!("{}/api/v1/{name}", self.base));
        if let Some(body) = body {
            request = request.json(&body).timeout(ORDER_TIMEOUT);
        }
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        let answer = request.send().await.map_err(unreachable)?;
        let status = answer.status();
        let text = answer.text().await.map_err(unreachable)?;
        match serde_json::from_str(&text) {
            Ok(Refusal { error: Some(code), error_description, hint }) => Err(LauncherError::ApiRefused {
                api: self.base.clone(),
                code,
                description: error_description.unwrap_or_else(|| status.to_string()),
                hint: hint.unwrap_or_else(|| "See `mongoferry status` for the phase and what it asks for.".into()),
            }),
            Ok(_) if status.is_success() => Ok(text),
            _ => Err(self.foreign(&format!("{status}: {text}"))),
        }
    }

    fn parse<T: DeserializeOwned>(&self, text: &str) -> Result<T, LauncherError> {
        serde_json::from_str(text).map_err(|error| self.foreign(&format!("{error}: {text}")))
    }

    fn foreign(&self, said: &str) -> LauncherError {
        LauncherError::ApiForeign { api: self.base.clone(), said: said.chars().take(SHOWN_CHARACTERS).collect() }
    }
}
