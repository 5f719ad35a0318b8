//! The subcommands.

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::{
    api_commands::{cutover, order, report, status, throttle, verify},
    coordinator_api::Order,
    demo,
    exit::Exit,
    launcher_error::LauncherError,
    migrate, support, validate,
};

/// Moves a live MongoDB replica set into another one.
#[derive(Parser)]
#[command(name = "mongoferry", version)]
pub struct CommandLine {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    /// Watch a whole live migration between two throw-away replica sets on this machine.
    Demo(demo::DemoArgs),
    /// Migrate: check, copy, keep in step, cut over, prove. Stopped in whatever way, it continues when started again.
    Migrate(migrate::MigrateArgs),
    /// Check whether a migration can work. Writes nothing.
    Validate(validate::ValidateArgs),
    /// Show how a migration stands and what to do next.
    Status(status::StatusArgs),
    /// Show what was compared so far, and which documents differ.
    Verify(verify::VerifyArgs),
    /// Begin a migration that waits for it (`migrate --start manual`), once it validates.
    Start(order::OrderArgs),
    /// Let copying and applying rest. Capturing the oplog goes on.
    Pause(order::OrderArgs),
    /// Go on after a pause or a failure.
    Resume(order::OrderArgs),
    /// Hold the copy back, or let it go; at any time.
    Throttle(throttle::ThrottleArgs),
    /// Cut over, once writes to the source have stopped, and wait until the destination may be written to.
    Cutover(cutover::CutoverArgs),
    /// Keep the migration ready for 24 hours more; also behind its end, as long as the source's oplog reaches back.
    Extend(order::OrderArgs),
    /// Give the migration up. What was copied stays on the destination.
    Cancel(order::CancelArgs),
    /// Print the report of a migration.
    Report(report::ReportArgs),
    /// Write one file for a bug report: status, report, checks, logs, versions; without secrets and values of documents.
    Support(support::SupportArgs),
}

impl CommandLine {
    /// The command line and the environment; ends the process with 2 where they do not fit.
    pub fn read() -> Self {
        // The help is to be the same on every machine.
        let command = Self::command().mut_subcommands(|sub| sub.mut_args(|option| option.hide_env_values(true)));
        Self::from_arg_matches(&command.get_matches()).unwrap_or_else(|error| error.exit())
    }
}

impl Command {
    pub async fn run(self) -> Result<Exit, LauncherError> {
        match self {
            Self::Demo(args) => demo::demo(args).await,
            Self::Migrate(args) => migrate::migrate(args).await,
            Self::Validate(args) => validate::validate(args).await,
            Self::Status(args) => status::status(args).await,
            Self::Verify(args) => verify::verify(args).await,
            Self::Start(args) => order::order(args, Order::Start).await,
            Self::Pause(args) => order::order(args, Order::Pause).await,
            Self::Resume(args) => order::order(args, Order::Resume).await,
            Self::Throttle(args) => throttle::throttle(args).await,
            Self::Cutover(args) => cutover::cutover(args).await,
            Self::Extend(args) => order::order(args, Order::Extend).await,
            Self::Cancel(args) => order::cancel(args).await,
            Self::Support(args) => support::support(args).await,
            Self::Report(args) => report::report(args).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::CommandLine;

    #[test]
    fn is_well_formed() {
        CommandLine::command().debug_assert();
    }

    #[test]
    fn every_option_has_its_twin_in_the_environment() {
        for command in CommandLine::command().get_subcommands() {
            for option in command.get_arguments() {
                let name = option.get_long().expect("options have long names");
                let twin = format!("MONGOFERRY_{}", name.replace('-', "_").to_uppercase());
                let env = option.get_env().map(|env| env.to_string_lossy().into_owned());
                assert_eq!(env.as_deref(), Some(twin.as_str()), "{} --{name}", command.get_name());
            }
        }
    }

    #[test]
    fn contradictions_and_malformed_values_are_refused() {
        let parse = |line: &str| CommandLine::try_parse_from(line.split(' '));
        assert!(parse("mongoferry migrate --copiers 3 --cutover auto --no-verify --listen 127.0.0.1:0").is_ok());
        for refused in [
            "mongoferry migrate --copiers 0",
            "mongoferry migrate --cutover now",
            "mongoferry migrate --id Not.An.Id",
            "mongoferry migrate --listen nowhere",
            "mongoferry migrate --nats-user u",
            "mongoferry demo --size 0",
            "mongoferry",
        ] {
            assert!(parse(refused).is_err(), "{refused}");
        }
    }
}
