//! `mongoferry validate`: the validator, run once, with its own output and exit code.

use clap::{Args, ValueEnum};
use mongoferry_protocol::{MigrationId, Role};
use mongoferry_stage::{DestinationArgs, LogFormat, SourceArgs};

use crate::{
    exit::Exit,
    launcher_error::LauncherError,
    stage_environment::{Clusters, StageEnvironment},
};

#[derive(Args)]
pub struct ValidateArgs {
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    destination: DestinationArgs,
    /// The migration it would be: a destination that this one has begun to fill is fine.
    #[arg(long, value_name = "NAME", env = "MONGOFERRY_ID", default_value = "default")]
    id: MigrationId,
    /// Form of the findings on standard output.
    #[arg(long, value_enum, env = "MONGOFERRY_FORMAT", default_value_t = Format::Table)]
    format: Format,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Table,
    Json,
}

pub async fn validate(args: ValidateArgs) -> Result<Exit, LauncherError> {
    let environment = StageEnvironment {
        id: args.id,
        source: args.source.uri()?,
        destination: args.destination.uri()?,
        bus: None,
        log: LogFormat::Human,
    };
    let mut command = environment.command(Role::Validator.as_str(), Clusters::Both)?;
    command.args([
        "--format",
        match args.format {
            Format::Table => "table",
            Format::Json => "json",
        },
    ]);
    let program = command.as_std().get_program().into();
    let ended = command.status().await.map_err(|source| LauncherError::Spawn { program, source })?;
    let code = ended.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(Exit::Failed, Exit::Child))
}
