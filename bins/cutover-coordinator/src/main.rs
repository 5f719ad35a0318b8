//! cutover-coordinator: owns the phases of a migration, its HTTP API and the cutover.
//!
//!     records, heartbeats, source's optime ──▶ Facts ──▶ decide ──▶ Step ──▶ records, work queues
//!     HTTP ──▶ commands ──┘                                          └──▶ phase
//!     what a cutover has to do, measured ──▶ prediction ──▶ status ──▶ API, page, webhooks and the command hook
//!
//! One decision at a time, each a pure function of the facts: killed anywhere, it decides the same again. The phase is
//! changed by compare-and-set, so two of them can't both lead.

mod api;
mod board;
mod bus_room;
mod catch_up;
mod command;
mod commands;
mod compare_again;
mod coordinate;
mod coordinator_error;
mod copy_progress;
mod copy_shares;
mod decide;
mod facts;
mod lag;
mod leader;
mod liveness;
mod marker;
mod measured;
mod metrics;
mod notify;
mod oplog_room;
mod oplog_watch;
mod outages;
mod phase_keeper;
mod prediction;
mod rates;
mod report;
mod settings;
mod silence;
mod source_watch;
mod status;
mod steps;
mod survived;
mod tidy_destination;
mod timer;
mod validation_jobs;
mod verified_ahead;
mod view;
mod work_watch;

use std::{net::SocketAddr, process::ExitCode};

use clap::{Parser, ValueEnum};
use mongoferry_protocol::{CutoverMode, Role};
use mongoferry_stage::{ApiTokenArgs, DestinationArgs, DropArgs, NotifyArgs, SourceArgs, StageArgs, TimeLimit};

/// Owns the phases of a migration, its HTTP API and the cutover.
#[derive(Parser)]
#[command(name = "mongoferry-cutover-coordinator", version)]
struct Args {
    #[command(flatten)]
    stage: StageArgs,
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    destination: DestinationArgs,
    #[command(flatten)]
    coordinator: CoordinatorArgs,
}

#[derive(clap::Args, Clone, Debug)]
struct CoordinatorArgs {
    /// Serve the HTTP API here. Elsewhere than on loopback it needs a token in MONGOFERRY_API_TOKEN.
    #[arg(long, value_name = "ADDRESS", env = "MONGOFERRY_LISTEN", default_value = "127.0.0.1:27182")]
    listen: SocketAddr,
    #[command(flatten)]
    token: ApiTokenArgs,
    #[command(flatten)]
    notify: NotifyArgs,
    /// Cut over on request, or by itself as soon as the migration is ready. `auto` asserts that nobody writes to the source
    /// by then.
    #[arg(long, value_enum, env = "MONGOFERRY_CUTOVER", default_value_t = CutoverChoice::Manual)]
    cutover: CutoverChoice,
    /// Take back a cutover that takes longer: 90s, 10m, 1h.
    #[arg(long, value_name = "TIME", env = "MONGOFERRY_CUTOVER_LIMIT", default_value = "10m")]
    cutover_limit: TimeLimit,
    /// Begin by itself, or on request: `manual` waits in `created`, where it can be validated, for POST /api/v1/start.
    #[arg(long, value_enum, env = "MONGOFERRY_START", default_value_t = StartChoice::Auto)]
    start: StartChoice,
    /// Do not compare source and destination at cutover.
    #[arg(long, env = "MONGOFERRY_NO_VERIFY")]
    no_verify: bool,
    #[command(flatten)]
    drop: DropArgs,
    /// Cut over without the indexes that the destination can't build.
    #[arg(long, env = "MONGOFERRY_ACCEPT_MISSING_INDEXES")]
    accept_missing_indexes: bool,
    /// Commit a cutover that has failed because users wrote to the source behind its point of no return. What they wrote since is
    /// on the source only, unless somebody has carried it over.
    #[arg(long, env = "MONGOFERRY_ACCEPT_SOURCE_WRITES", value_parser = clap::builder::FalseyValueParser::new())]
    accept_source_writes: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum CutoverChoice {
    Manual,
    Auto,
    /// End as soon as it could be cut over, with a report that predicts the write downtime.
    Rehearse,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum StartChoice {
    Auto,
    Manual,
}

impl From<CutoverChoice> for CutoverMode {
    fn from(choice: CutoverChoice) -> Self {
        match choice {
            CutoverChoice::Manual => Self::Manual,
            CutoverChoice::Auto => Self::Auto,
            CutoverChoice::Rehearse => Self::Rehearse,
        }
    }
}

fn main() -> ExitCode {
    let Args { stage, source, destination, coordinator } = Args::parse();
    let work = Box::new(|stage| Box::pin(leader::lead(stage, source, destination, coordinator)) as _);
    mongoferry_stage::run(Role::CutoverCoordinator, stage, work)
}
