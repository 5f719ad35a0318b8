//! The validator's options.

use std::path::PathBuf;

use clap::{CommandFactory, FromArgMatches, Parser, ValueEnum, builder::FalseyValueParser, parser::ValueSource};
use mongoferry_stage::{DestinationArgs, DropArgs, SourceArgs, StageArgs};

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportFormat {
    /// For people.
    Table,
    /// The report as one JSON document.
    Json,
}

/// Checks both clusters before a migration; writes to neither.
///
/// With --nats the bus is checked too, and the report is stored there for the migration. With --drop the migration will
/// drop what stands in its way on the destination; the validator itself drops nothing.
#[derive(Parser)]
#[command(name = "mongoferry-validator", version)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) stage: StageArgs,
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    #[command(flatten)]
    pub(crate) destination: DestinationArgs,
    #[command(flatten)]
    pub(crate) drop: DropArgs,
    /// Only look at the bus: create nothing there and leave the report out.
    #[arg(long, env = "MONGOFERRY_VALIDATOR_LOOK_ONLY", value_parser = FalseyValueParser::new())]
    pub(crate) look_only: bool,
    /// Stay, and validate whenever it is asked for over the coordinator's API.
    #[arg(long, env = "MONGOFERRY_VALIDATOR_SERVE", value_parser = FalseyValueParser::new())]
    pub(crate) serve: bool,
    /// Directory on the disk that a bus of this machine will keep the oplog on; the nearest one that exists is looked at.
    #[arg(long, value_name = "DIR", env = "MONGOFERRY_VALIDATOR_BUS_DIRECTORY")]
    pub(crate) bus_directory: Option<PathBuf>,
    /// Form of the report on standard output.
    #[arg(long, value_enum, env = "MONGOFERRY_VALIDATOR_FORMAT", default_value_t = ReportFormat::Table)]
    pub(crate) format: ReportFormat,
    /// Print every check with its code as a Markdown table, and end.
    #[arg(long)]
    pub(crate) list_checks: bool,
}

impl Args {
    /// Parses the command line, and says whether a bus was named on it or in the environment. Ends the process with 2 on a
    /// bad option.
    pub(crate) fn parse_with_bus() -> (Self, bool) {
        let matches = Self::command().get_matches();
        let with_bus = matches.value_source("nats").is_some_and(|source| source != ValueSource::DefaultValue);
        match Self::from_arg_matches(&matches) {
            Ok(args) => (args, with_bus),
            Err(error) => error.exit(),
        }
    }
}
