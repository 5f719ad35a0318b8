//! `mongoferry validate`: the validator, run once, with its own output and exit code.

use clap::{Args, ValueEnum};
use mongoferry_protocol::{MigrationId, Role};
use mongoferry_stage::{DestinationArgs, DropArgs, LogFormat, SourceArgs};

use crate::{
    bus_choice::ExistingBusArgs,
    exit::Exit,
    launcher_error::LauncherError,
    stage_environment::{Clusters, StageEnvironment},
    validation::ValidatorOptions,
};

#[derive(Args)]
pub struct ValidateArgs {
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    destination: DestinationArgs,
    /// The migration it would be.
    #[arg(long, value_name = "NAME", env = "MONGOFERRY_ID", default_value = "default")]
    id: MigrationId,
    #[command(flatten)]
    bus: ExistingBusArgs,
    #[command(flatten)]
    drop: DropArgs,
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
        bus: args.bus.address(std::env::var("MONGOFERRY_NATS_PASSWORD").ok()),
        log: LogFormat::Human,
    };
    let options = ValidatorOptions { drop: args.drop.confirmed()?, look_only: true, bus_directory: None };
    let mut command = environment.command(Role::Validator.as_str(), Clusters::Both)?;
    options.give_to(&mut command);
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
