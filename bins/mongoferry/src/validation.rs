//! Runs the validator before anything else, and takes its answer.

use std::{path::Path, process::Stdio};

use mongoferry_protocol::{Role, ValidationReport};
use tokio::process::Command;

use crate::{
    launcher_error::LauncherError,
    stage_environment::{Clusters, StageEnvironment},
};

/// The validator's exit code for a command line (or connection string) that does not fit.
const USAGE: i32 = 2;
const SHOWN_CHARACTERS: usize = 2_000;

pub enum Validation {
    Report(Box<ValidationReport>),
    /// A connection string is malformed; in the validator's words.
    Usage(String),
}

/// What the validator is told beside the clusters and the bus.
#[derive(Clone, Copy, Debug, Default)]
pub struct ValidatorOptions<'a> {
    /// The replica set that may be dropped from, as the operator typed it.
    pub drop: Option<&'a str>,
    /// Leave nothing on the bus.
    pub look_only: bool,
    /// Where a bus of this machine keeps the oplog, or will.
    pub bus_directory: Option<&'a Path>,
}

impl ValidatorOptions<'_> {
    pub fn give_to(self, command: &mut Command) {
        if let Some(name) = self.drop {
            command.args(["--drop", "--confirm-destination", name]);
        }
        if self.look_only {
            command.arg("--look-only");
        }
        if let Some(directory) = self.bus_directory {
            command.arg("--bus-directory").arg(directory);
        }
    }
}

pub async fn run_validator(
    environment: &StageEnvironment,
    options: ValidatorOptions<'_>,
) -> Result<Validation, LauncherError> {
    let mut command = environment.command(Role::Validator.as_str(), Clusters::Both)?;
    let program = command.as_std().get_program().into();
    options.give_to(&mut command);
    command.args(["--format", "json"]).stdin(Stdio::null()).process_group(0).kill_on_drop(true);
    let output = command.output().await.map_err(|source| LauncherError::Spawn { program, source })?;
    let said = String::from_utf8_lossy(&output.stderr).trim().chars().take(SHOWN_CHARACTERS).collect::<String>();
    if output.status.code() == Some(USAGE) {
        return Ok(Validation::Usage(said));
    }
    match serde_json::from_slice(&output.stdout) {
        Ok(report) => Ok(Validation::Report(Box::new(report))),
        Err(_) => Err(LauncherError::ValidatorSilent { status: output.status.to_string(), said }),
    }
}
