//! A command that is run for each event.

use std::{process::Stdio, time::Duration};

use mongoferry_protocol::Event;
use tokio::{io::AsyncWriteExt, process::Command};

use super::target::Trouble;

const PATIENCE: Duration = Duration::from_secs(30);

pub struct CommandHook {
    command: String,
}

impl CommandHook {
    pub fn new(command: String) -> Self {
        Self { command }
    }

    pub fn command(&self) -> &str {
        &self.command
    }

    /// Done when it ends with 0. It gets none of our own variables: they hold passwords.
    pub async fn run(&self, event: &Event) -> Result<(), Trouble> {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", &self.command]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("MONGOFERRY_") {
                command.env_remove(name);
            }
        }
        let mut child = command
            .env("MONGOFERRY_EVENT", event.event.as_str())
            .env("MONGOFERRY_EVENT_ID", &event.id)
            .env("MONGOFERRY_MIGRATION", event.migration.as_str())
            .env("MONGOFERRY_PHASE", event.phase.as_str())
            .env("MONGOFERRY_CODE", event.code.as_deref().unwrap_or_default())
            .env("MONGOFERRY_MESSAGE", &event.message)
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| Trouble::Passing(format!("it does not start: {error}")))?;
        let body = serde_json::to_vec(event).expect("an event has nothing that JSON lacks");
        let mut input = child.stdin.take().expect("is piped");
        let ended = async {
            // A command that does not read it is fine.
            let _ = input.write_all(&body).await;
            drop(input);
            child.wait().await
        };
        match tokio::time::timeout(PATIENCE, ended).await {
            Err(_) => Err(Trouble::Lasting(format!("it did not end within {} s and was killed", PATIENCE.as_secs()))),
            Ok(Err(error)) => Err(Trouble::Passing(error.to_string())),
            Ok(Ok(status)) if status.success() => Ok(()),
            Ok(Ok(status)) => Err(Trouble::Passing(format!("it ended with {status}"))),
        }
    }
}
