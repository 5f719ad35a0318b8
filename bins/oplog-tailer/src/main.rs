//! oplog-tailer: captures the source's oplog into the bus, from before the first document is read until the end.
//!
//!     source ── oplog entries ──▶ BatchBuilder ── OplogBatch ──▶ bus, then progress
//!
//! Every entry of the source is covered by exactly one batch, and each batch names the one before it. Killed anywhere, it
//! goes on behind the last batch that the bus has stored. Two of them can't both publish: the second is refused.

mod beginning;
mod capture;
mod capture_error;
mod expiry;
mod follow_phase;
mod metrics;
mod progress;

use std::process::ExitCode;

use clap::Parser;
use mongoferry_protocol::Role;
use mongoferry_stage::{SourceArgs, StageArgs};

/// Captures the source's oplog into the bus.
#[derive(Parser)]
#[command(name = "mongoferry-oplog-tailer", version)]
struct Args {
    #[command(flatten)]
    stage: StageArgs,
    #[command(flatten)]
    source: SourceArgs,
}

fn main() -> ExitCode {
    let Args { stage, source } = Args::parse();
    mongoferry_stage::run(
        Role::OplogTailer,
        stage,
        Box::new(|stage| Box::pin(follow_phase::follow_phase(stage, source))),
    )
}
