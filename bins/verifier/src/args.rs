//! The verifier's options.

use std::num::NonZeroUsize;

use clap::Parser;
use mongoferry_stage::{DestinationArgs, SourceArgs, StageArgs};

/// Compares source and destination at the cutover.
#[derive(Parser)]
#[command(name = "mongoferry-verifier", version)]
pub struct VerifierArgs {
    #[command(flatten)]
    pub stage: StageArgs,
    #[command(flatten)]
    pub source: SourceArgs,
    #[command(flatten)]
    pub destination: DestinationArgs,
    /// Collections compared at the same time. Each is read from both clusters at once.
    #[arg(long, value_name = "N", env = "MONGOFERRY_VERIFIER_COLLECTIONS", default_value = "3")]
    pub collections: NonZeroUsize,
}
