//! How a stage learns what it works on: by environment, because everybody on the machine can read argument lists.

use std::path::PathBuf;

use mongoferry_protocol::MigrationId;
use mongoferry_stage::{LogFormat, SecretUri};
use tokio::process::Command;

use crate::{bus_choice::BusAddress, launcher_error::LauncherError};

/// What a stage may not take over from our own environment: it would contradict what we say, or be meant for one process
/// and reach all.
const WITHHELD: [&str; 23] = [
    "MONGOFERRY_ID",
    "MONGOFERRY_SOURCE",
    "MONGOFERRY_SOURCE_URI_FILE",
    "MONGOFERRY_DESTINATION",
    "MONGOFERRY_DESTINATION_URI_FILE",
    "MONGOFERRY_NATS",
    "MONGOFERRY_NATS_USER",
    "MONGOFERRY_NATS_PASSWORD",
    "MONGOFERRY_NATS_CREDENTIALS",
    "MONGOFERRY_INSTANCE",
    "MONGOFERRY_METRICS_LISTEN",
    "MONGOFERRY_STOP_WITH_PARENT",
    "MONGOFERRY_NO_VERIFY",
    "MONGOFERRY_DROP",
    "MONGOFERRY_CONFIRM_DESTINATION",
    "MONGOFERRY_VALIDATOR_LOOK_ONLY",
    "MONGOFERRY_VALIDATOR_SERVE",
    "MONGOFERRY_VALIDATOR_BUS_DIRECTORY",
    "MONGOFERRY_ACCEPT_MISSING_INDEXES",
    "MONGOFERRY_WEBHOOK",
    "MONGOFERRY_WEBHOOK_SECRET",
    "MONGOFERRY_WEBHOOK_SECRET_FILE",
    "MONGOFERRY_ON_EVENT",
];

/// Which connection strings a stage is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clusters {
    Source,
    Destination,
    Both,
}

#[derive(Clone)]
pub struct StageEnvironment {
    pub id: MigrationId,
    pub source: SecretUri,
    pub destination: SecretUri,
    /// Absent for a validator that only looks.
    pub bus: Option<BusAddress>,
    pub log: LogFormat,
}

impl StageEnvironment {
    /// A command of program `mongoferry-<name>` beside our own, with this environment.
    pub fn command(&self, name: &str, clusters: Clusters) -> Result<Command, LauncherError> {
        let mut command = Command::new(program(name)?);
        for variable in WITHHELD {
            command.env_remove(variable);
        }
        command.env("MONGOFERRY_ID", self.id.as_str());
        command.env(
            "MONGOFERRY_LOG",
            match self.log {
                LogFormat::Human => "human",
                LogFormat::Json => "json",
            },
        );
        if clusters != Clusters::Destination {
            command.env("MONGOFERRY_SOURCE", self.source.reveal());
        }
        if clusters != Clusters::Source {
            command.env("MONGOFERRY_DESTINATION", self.destination.reveal());
        }
        if let Some(bus) = &self.bus {
            give_bus(&mut command, bus);
        }
        Ok(command)
    }
}

fn give_bus(command: &mut Command, bus: &BusAddress) {
    command.env("MONGOFERRY_NATS", &bus.url);
    if let Some(user) = &bus.user {
        command.env("MONGOFERRY_NATS_USER", user);
    }
    if let Some(password) = &bus.password {
        command.env("MONGOFERRY_NATS_PASSWORD", password);
    }
    if let Some(file) = &bus.credentials_file {
        command.env("MONGOFERRY_NATS_CREDENTIALS", file);
    }
}

/// The stage's program: beside our own.
fn program(name: &str) -> Result<PathBuf, LauncherError> {
    let own = std::env::current_exe().map_err(LauncherError::io("find the directory of this program"))?;
    let program = own.with_file_name(format!("mongoferry-{name}"));
    if program.is_file() { Ok(program) } else { Err(LauncherError::ProgramMissing { program }) }
}
