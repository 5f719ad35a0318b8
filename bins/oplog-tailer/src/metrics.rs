//! The series of the oplog-tailer.

use metrics::{counter, describe_counter, describe_gauge, gauge};
use mongoferry_protocol::{CaptureProgress, OplogBatch, Optime};

const ENTRIES: &str = "mongoferry_oplog_tailer_entries_total";
const BATCHES: &str = "mongoferry_oplog_tailer_batches_total";
const RAW_BYTES: &str = "mongoferry_oplog_tailer_raw_bytes_total";
const SENT_BYTES: &str = "mongoferry_oplog_tailer_sent_bytes_total";
const CAPTURED: &str = "mongoferry_oplog_tailer_captured_seconds";
const WINDOW: &str = "mongoferry_oplog_tailer_source_window_seconds";

/// Describes every series and sets it to 0, so that it is there before anything happens.
pub fn describe() {
    describe_counter!(ENTRIES, "Oplog entries read from the source");
    describe_counter!(BATCHES, "Batches sent to the bus");
    describe_counter!(RAW_BYTES, "Bytes of the entries kept in batches, before compression");
    describe_counter!(SENT_BYTES, "Bytes of the entries kept in batches, compressed");
    describe_gauge!(CAPTURED, "Seconds since 1970 of the newest entry that the bus has stored");
    describe_gauge!(WINDOW, "Seconds between the oldest and the newest entry of the source's oplog");
    for name in [ENTRIES, BATCHES, RAW_BYTES, SENT_BYTES] {
        counter!(name).absolute(0);
    }
    gauge!(CAPTURED).set(0.0);
    gauge!(WINDOW).set(0.0);
}

pub fn batch_sent(batch: &OplogBatch) {
    counter!(ENTRIES).increment(u64::from(batch.entry_count));
    counter!(BATCHES).increment(1);
    counter!(RAW_BYTES).increment(u64::from(batch.raw_bytes));
    counter!(SENT_BYTES).increment(batch.entries.len() as u64);
}

pub fn captured(record: &CaptureProgress) {
    gauge!(CAPTURED).set(f64::from(record.captured.t));
}

pub fn oplog_window(oldest: Optime, newest: Optime) {
    gauge!(WINDOW).set(f64::from(newest.t.saturating_sub(oldest.t)));
}
