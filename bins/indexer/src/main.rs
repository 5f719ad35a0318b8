//! indexer: builds the indexes of each collection once it is copied, and gives them their last properties at cutover.
//!
//!     bus ── BuildIndexes ──▶ createIndexes on the destination ──▶ IndexProgress, then done with the item
//!     bus ── FinalizeIndexes ──▶ both catalogs ──▶ collMod, createIndexes, views ──▶ Finalization, then done
//!
//! What stands is not built again; an index that can't be built is listed with its reason and stops nothing. Killed
//! anywhere, it looks at what stands and does the rest.

mod build_collection;
mod finalize;
mod indexer;
mod indexer_error;
mod metrics;
mod take_work;

use std::{num::NonZeroUsize, process::ExitCode};

use clap::Parser;
use mongoferry_protocol::Role;
use mongoferry_stage::{DestinationArgs, SourceArgs, StageArgs};

/// Builds indexes on the destination.
#[derive(Parser)]
#[command(name = "mongoferry-indexer", version)]
struct Args {
    #[command(flatten)]
    stage: StageArgs,
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    destination: DestinationArgs,
    /// Collections whose indexes are built at the same time.
    #[arg(long, value_name = "N", env = "MONGOFERRY_INDEXER_BUILDS", default_value = "2")]
    builds: NonZeroUsize,
}

fn main() -> ExitCode {
    let args = Args::parse();
    mongoferry_stage::run(
        Role::Indexer,
        args.stage.clone(),
        Box::new(|stage| Box::pin(take_work::take_work(stage, args))),
    )
}
