//! Who is told of events: options of the coordinator and of the launcher that starts it.

use std::path::PathBuf;

use clap::Args;

use crate::{
    SecretUri,
    secret_file::{SecretFileError, secret},
};

const SECRET: &str = "MONGOFERRY_WEBHOOK_SECRET";

#[derive(Args, Clone, Debug, Default)]
pub struct NotifyArgs {
    /// POST each event as JSON to this address; may be repeated.
    ///
    /// An event is a phase, failure, warning, expiry, or slow cutover. Signed by HMAC-SHA256 with the secret of MONGOFERRY_WEBHOOK_SECRET, if one is given.
    #[arg(long, value_name = "URL", env = "MONGOFERRY_WEBHOOK", hide_env_values = true, value_delimiter = ',',
        value_parser = address)]
    pub webhook: Vec<SecretUri>,
    /// File whose first line is the secret that webhooks are signed with.
    #[arg(long, value_name = "FILE", env = "MONGOFERRY_WEBHOOK_SECRET_FILE")]
    pub webhook_secret_file: Option<PathBuf>,
    /// Run this command for each event.
    ///
    /// By `sh -c`: JSON on standard input; MONGOFERRY_EVENT, MONGOFERRY_PHASE, MONGOFERRY_CODE, … in the environment.
    #[arg(long, value_name = "COMMAND", env = "MONGOFERRY_ON_EVENT", hide_env_values = true)]
    pub on_event: Option<String>,
}

impl NotifyArgs {
    pub fn secret(&self) -> Result<Option<String>, SecretFileError> {
        secret("webhook secret", SECRET, self.webhook_secret_file.as_deref())
    }

    /// The same options as variables for a child process: addresses of webhooks may hold secrets.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let addresses: Vec<&str> = self.webhook.iter().map(SecretUri::reveal).collect();
        let file = self.webhook_secret_file.as_ref().map(|file| file.display().to_string());
        let given = [
            ("MONGOFERRY_WEBHOOK", (!addresses.is_empty()).then(|| addresses.join(","))),
            ("MONGOFERRY_WEBHOOK_SECRET_FILE", file),
            (SECRET, std::env::var(SECRET).ok()),
            ("MONGOFERRY_ON_EVENT", self.on_event.clone()),
        ];
        given.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }
}

fn address(text: &str) -> Result<SecretUri, String> {
    if text.starts_with("http://") || text.starts_with("https://") {
        Ok(SecretUri::new(text))
    } else {
        Err("it is no http:// or https:// address".into())
    }
}
