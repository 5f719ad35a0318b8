//! The series of the indexer.

use std::time::Duration;

use metrics::{counter, describe_counter, describe_histogram, histogram};
use mongoferry_mongo::{BuildOutcome, BuildState};

const INDEXES: &str = "mongoferry_indexer_indexes_total";
const SECONDS: &str = "mongoferry_indexer_build_seconds";

/// Describes every series and sets the counters to 0, so that they are there before anything happens.
pub fn describe() {
    describe_counter!(INDEXES, "Indexes dealt with, by outcome: built, deferred to the cutover, failed");
    describe_histogram!(SECONDS, "Time to build the indexes of one collection");
    for outcome in ["built", "deferred", "failed"] {
        counter!(INDEXES, "outcome" => outcome).absolute(0);
    }
}

pub fn built(outcomes: &[BuildOutcome], took: Duration) {
    for outcome in outcomes {
        let outcome = match outcome.state {
            BuildState::Built { .. } => "built",
            BuildState::Deferred { .. } => "deferred",
            BuildState::Failed { .. } => "failed",
        };
        counter!(INDEXES, "outcome" => outcome).increment(1);
    }
    histogram!(SECONDS).record(took);
}
