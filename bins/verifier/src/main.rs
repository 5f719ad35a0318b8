//! verifier: proves that source and destination are equal: ahead of the cutover while users write, and what is left at it.
//!
//!     ready ──▶ ahead: both sides part by part; then what oplog batches and the destination's oplog say was changed ──▶ record
//!     bus ── Verify ──▶ both catalogs ──▶ collection by collection: fingerprints, then the documents that differ
//!                                                          └──▶ Verification on the bus, then done with the item
//!     bus ── CompareAgain ──▶ what is known to differ ──▶ looked at again; for a repair, portions of it to the applier
//!
//! Nothing is written to either cluster. A difference is a result, not a failure. Killed anywhere, it compares again.

use std::process::ExitCode;

use clap::Parser;
use mongoferry_protocol::Role;
use mongoferry_verifier::{VerifierArgs, take_work};

fn main() -> ExitCode {
    let args = VerifierArgs::parse();
    mongoferry_stage::run(Role::Verifier, args.stage.clone(), Box::new(|stage| Box::pin(take_work(stage, args))))
}
