//! The series of the applier.

use std::time::Duration;

use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use mongoferry_oplog::ChangeKind;
use mongoferry_protocol::Checkpoint;

const CHANGES: &str = "mongoferry_applier_changes_total";
const ROUNDS: &str = "mongoferry_applier_rounds_total";
const ROUND_SECONDS: &str = "mongoferry_applier_round_seconds";
const OPERATIONS: &str = "mongoferry_applier_operations_total";
const RETRIES: &str = "mongoferry_applier_transaction_retries_total";
const SKIPPED: &str = "mongoferry_applier_skipped_changes_total";
const APPLIED: &str = "mongoferry_applier_applied_seconds";
const TERM: &str = "mongoferry_applier_term";

const KINDS: [&str; 5] = ["insert", "replace", "delta", "delete", "ddl"];

/// Describes every series and sets it to 0, so that it is there before anything happens.
pub fn describe() {
    describe_counter!(CHANGES, "Changes taken from the oplog to be applied, by kind");
    describe_counter!(ROUNDS, "Rounds written by all lanes together");
    describe_histogram!(ROUND_SECONDS, metrics::Unit::Seconds, "Time from a round's first write to its last commit");
    describe_counter!(OPERATIONS, "Write operations that the changes were folded to");
    describe_counter!(RETRIES, "Transactions on the destination that were given up and done again");
    describe_counter!(SKIPPED, "Changes of collections that were dropped before the source was listed");
    describe_gauge!(APPLIED, "Seconds since 1970 of the newest entry that is applied on all lanes");
    describe_gauge!(TERM, "The active applier's term; grows with each takeover");
    for kind in KINDS {
        counter!(CHANGES, "kind" => kind).absolute(0);
    }
    for name in [ROUNDS, OPERATIONS, RETRIES, SKIPPED] {
        counter!(name).absolute(0);
    }
    gauge!(APPLIED).set(0.0);
    gauge!(TERM).set(0.0);
}

/// Changes by kind, counted per batch.
#[derive(Default)]
pub struct ChangeCounts([u64; KINDS.len()]);

impl ChangeCounts {
    pub fn count(&mut self, kind: &ChangeKind) {
        let index = match kind {
            ChangeKind::Insert { .. } => 0,
            ChangeKind::Replace { .. } => 1,
            ChangeKind::Delta { .. } => 2,
            ChangeKind::Delete { .. } => 3,
            ChangeKind::Ddl(_) => 4,
        };
        self.0[index] += 1;
    }

    pub fn record(&self) {
        for (kind, count) in KINDS.iter().zip(self.0).filter(|(_, count)| *count > 0) {
            counter!(CHANGES, "kind" => *kind).increment(count);
        }
    }
}

pub fn round_written(operations: u64, skipped: u64, retries: u64, took: Duration) {
    counter!(ROUNDS).increment(1);
    counter!(OPERATIONS).increment(operations);
    counter!(SKIPPED).increment(skipped);
    counter!(RETRIES).increment(retries);
    histogram!(ROUND_SECONDS).record(took.as_secs_f64());
}

pub fn checkpoint(checkpoint: &Checkpoint) {
    gauge!(APPLIED).set(f64::from(checkpoint.applied.t));
    gauge!(TERM).set(checkpoint.term as f64);
}
