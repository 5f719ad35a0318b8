//! copier: copies ranges of collections, as many processes of it as you like.
//!
//!     bus ── PlanCollection ──▶ create on the destination, draw ranges once ──▶ RangePlan, CopyRange items
//!     bus ── CopyRange ──▶ source ── raw batches ──▶ destination, then RangeProgress, then done with the item
//!
//! The bus is told of a collection whose documents hold two fields of one name before they are written: the applier must know.
//! Documents pass as the bytes the source sent and never touch the bus. A range goes on behind its last durable write;
//! writing a document again changes nothing.

mod claim;
mod copier;
mod copier_error;
mod copy_range;
mod doubled_names;
mod metrics;
mod plan_collection;
mod take_work;
mod throttle;

use std::{num::NonZeroUsize, process::ExitCode};

use clap::Parser;
use mongoferry_protocol::Role;
use mongoferry_stage::{DestinationArgs, SourceArgs, StageArgs};

/// Copies ranges of collections from the source to the destination.
#[derive(Parser)]
#[command(name = "mongoferry-copier", version)]
struct Args {
    #[command(flatten)]
    stage: StageArgs,
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    destination: DestinationArgs,
    /// Inserts in flight. More hide a longer way to the destination.
    #[arg(long, value_name = "N", env = "MONGOFERRY_COPIER_WRITERS", default_value = "2")]
    writers: NonZeroUsize,
    /// What a range should hold, in MiB of documents. Collections that are planned already keep their ranges.
    #[arg(long, value_name = "MIB", env = "MONGOFERRY_COPIER_RANGE_MIB", default_value = "128",
        value_parser = clap::value_parser!(u64).range(1..=512))]
    range_mib: u64,
}

fn main() -> ExitCode {
    let args = Args::parse();
    mongoferry_stage::run(
        Role::Copier,
        args.stage.clone(),
        Box::new(|stage| Box::pin(take_work::take_work(stage, args))),
    )
}
