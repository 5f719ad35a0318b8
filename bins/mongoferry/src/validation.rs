//! Runs the validator before anything else, and takes its answer.

use std::process::Stdio;

use mongoferry_protocol::{Role, ValidationReport};

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

pub async fn run_validator(environment: &StageEnvironment) -> Result<Validation, LauncherError> {
    let mut command = environment.command(Role::Validator.as_str(), Clusters::Both)?;
    let program = command.as_std().get_program().into();
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
