//! applier: takes oplog batches off the bus, in order, and makes the destination match.
//!
//!     bus ── OplogBatch ──▶ read_ahead ──▶ changes ──▶ rounds ──▶ lanes, each in a transaction with its checkpoint
//!                                                  └─ catalog change ──▶ claim, execute, record
//!     bus ── RepairPortion, between two rounds ──▶ documents read from the source ──▶ a lane's transaction
//!
//! The source is read only for a document that the destination can't bring up to date exactly by its changes, that is in a
//! collection with doubled names, or that the verifier found to differ.
//!
//! Killed anywhere, it goes on at the checkpoints that stand on the destination: what is committed is not done again, and
//! what is not committed leaves no trace. Two of them can't both write: the second begins a new term, which ends the first.

mod applier_error;
mod apply;
mod beginning;
mod cross_barrier;
mod doubled_names;
mod follower;
mod lane_steps;
mod metrics;
mod plan_barrier;
mod progress;
mod read_ahead;
mod repair;
mod stage_work;
mod write_round;

use std::process::ExitCode;

use clap::Parser;
use mongoferry_protocol::Role;
use mongoferry_stage::{DestinationArgs, SourceArgs, StageArgs};

/// Applies the captured oplog to the destination.
#[derive(Parser)]
#[command(name = "mongoferry-applier", version)]
struct Args {
    #[command(flatten)]
    stage: StageArgs,
    #[command(flatten)]
    destination: DestinationArgs,
    /// Needed where documents have to be read from the source anew, as on all destinations before 6.0.17.
    #[command(flatten)]
    source: SourceArgs,
}

fn main() -> ExitCode {
    let Args { stage, destination, source } = Args::parse();
    let work = |stage| stage_work::stage_work(stage, destination, source);
    mongoferry_stage::run(Role::Applier, stage, Box::new(|stage| Box::pin(work(stage))))
}
