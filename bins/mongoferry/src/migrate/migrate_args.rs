//! The options of `mongoferry migrate`.

use std::{net::SocketAddr, num::NonZeroUsize, path::PathBuf};

use clap::{Args, builder::FalseyValueParser};
use mongoferry_protocol::MigrationId;
use mongoferry_stage::{ApiTokenArgs, DestinationArgs, DropArgs, LogFormat, NotifyArgs, SourceArgs, TimeLimit};

use crate::{
    bus_choice::BusArgs,
    launch::{Consent, Cutover, Launch, Start},
    launcher_error::LauncherError,
    state_dir::{DEFAULT_PLACE, default_place},
};

#[derive(Args)]
pub struct MigrateArgs {
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    destination: DestinationArgs,
    /// Name of the migration.
    #[arg(long, value_name = "NAME", env = "MONGOFERRY_ID", default_value = "default")]
    id: MigrationId,
    #[arg(long, value_name = "DIR", env = "MONGOFERRY_STATE_DIR", help = state_dir_help())]
    state_dir: Option<PathBuf>,
    #[command(flatten)]
    bus: BusArgs,
    /// Serve the HTTP API here. Elsewhere than on loopback it needs a token in MONGOFERRY_API_TOKEN.
    #[arg(long, value_name = "ADDRESS", env = "MONGOFERRY_LISTEN", default_value = "127.0.0.1:27182")]
    listen: SocketAddr,
    #[command(flatten)]
    token: ApiTokenArgs,
    /// Processes that copy documents.
    #[arg(long, value_name = "N", env = "MONGOFERRY_COPIERS", default_value = "2")]
    copiers: NonZeroUsize,
    /// When to begin: at once, or when told to.
    ///
    /// With `manual` nothing is written before the page's Start or `mongoferry start`; validation happens there too.
    #[arg(long, value_enum, env = "MONGOFERRY_START", default_value_t = Start::Auto)]
    start: Start,
    /// When to cut over.
    #[arg(long, value_enum, env = "MONGOFERRY_CUTOVER", default_value_t = Cutover::Manual)]
    cutover: Cutover,
    /// Take back a cutover that takes longer: 90s, 10m, 1h.
    ///
    /// Past its point of no return (phase finalizing) it goes on however long it takes.
    #[arg(long, value_name = "TIME", env = "MONGOFERRY_CUTOVER_LIMIT", default_value = "10m")]
    cutover_limit: TimeLimit,
    /// Go as far as ready, predict the write downtime, write the report, and end; what was copied stays, to try things on.
    #[arg(long, env = "MONGOFERRY_REHEARSE", value_parser = FalseyValueParser::new(), conflicts_with = "cutover")]
    rehearse: bool,
    /// Do not compare source and destination before committing.
    #[arg(long, env = "MONGOFERRY_NO_VERIFY", value_parser = FalseyValueParser::new())]
    no_verify: bool,
    #[command(flatten)]
    drop: DropArgs,
    #[command(flatten)]
    notify: NotifyArgs,
    /// Validate, print what would be done, and end; write nothing.
    #[arg(long, env = "MONGOFERRY_DRY_RUN", value_parser = FalseyValueParser::new())]
    pub(super) dry_run: bool,
    /// Do not ask before a new migration begins. Without a terminal nothing is asked either.
    #[arg(long, env = "MONGOFERRY_YES", value_parser = FalseyValueParser::new())]
    yes: bool,
    /// Cut over without the indexes that the destination can't build.
    #[arg(long, env = "MONGOFERRY_ACCEPT_MISSING_INDEXES", value_parser = FalseyValueParser::new())]
    accept_missing_indexes: bool,
    /// Form of progress and log lines on standard error.
    #[arg(long, value_enum, env = "MONGOFERRY_LOG", default_value_t = LogFormat::Human)]
    log: LogFormat,
}

fn state_dir_help() -> String {
    format!(
        "Where progress is kept, so that a migration that was stopped continues; also logs and report. One directory per \
        migration [default: {DEFAULT_PLACE}]"
    )
}

impl MigrateArgs {
    pub fn launch(self) -> Result<Launch, LauncherError> {
        let state_dir = match self.state_dir {
            Some(given) => given,
            None => default_place(&self.id, std::env::var_os("XDG_STATE_HOME"), std::env::var_os("HOME"))?,
        };
        Ok(Launch {
            source: self.source.uri()?,
            destination: self.destination.uri()?,
            state_dir,
            bus: self.bus.choice(std::env::var("MONGOFERRY_NATS_PASSWORD").ok()),
            id: self.id,
            listen: self.listen,
            api_token: self.token,
            copiers: self.copiers,
            start: self.start,
            cutover: if self.rehearse { Cutover::Rehearse } else { self.cutover },
            cutover_limit: self.cutover_limit,
            verify: !self.no_verify,
            drop: self.drop.confirmed()?.map(ToOwned::to_owned),
            notify: self.notify,
            consent: if self.yes { Consent::Given } else { Consent::Asked },
            accept_missing_indexes: self.accept_missing_indexes,
            log: self.log,
        })
    }
}
