//! The series of the cutover-coordinator: the whole migration in one scrape.

use metrics::{describe_gauge, gauge};
use mongoferry_protocol::{MigrationStatus, Phase};

const PHASE: &str = "mongoferry_migration_phase";
const DOCUMENTS: &str = "mongoferry_migration_copied_documents";
const DOCUMENTS_TOTAL: &str = "mongoferry_migration_estimated_documents";
const BYTES: &str = "mongoferry_migration_copied_bytes";
const BYTES_TOTAL: &str = "mongoferry_migration_estimated_bytes";
const LAG_CAPTURE: &str = "mongoferry_migration_source_to_bus_lag_seconds";
const LAG_APPLY: &str = "mongoferry_migration_bus_to_destination_lag_seconds";
const LAG: &str = "mongoferry_migration_lag_seconds";
const CHANGES: &str = "mongoferry_migration_applied_changes";
const BUS_BYTES: &str = "mongoferry_migration_bus_oplog_bytes";
const WINDOW: &str = "mongoferry_migration_source_oplog_window_seconds";
const WARNINGS: &str = "mongoferry_migration_warnings";
const DOWNTIME: &str = "mongoferry_migration_write_downtime_seconds";

/// Describes every series and sets it to 0, so that it is there before anything happens.
pub fn describe() {
    describe_gauge!(PHASE, "1 for the phase that the migration is in, 0 for the others");
    describe_gauge!(DOCUMENTS, "Documents copied");
    describe_gauge!(DOCUMENTS_TOTAL, "Documents to copy, by the source's statistics");
    describe_gauge!(BYTES, "Bytes copied");
    describe_gauge!(BYTES_TOTAL, "Bytes to copy, by the source's statistics");
    describe_gauge!(LAG_CAPTURE, "How far the bus is behind the source");
    describe_gauge!(LAG_APPLY, "How far the destination is behind the bus");
    describe_gauge!(LAG, "How far the destination is behind the source");
    describe_gauge!(CHANGES, "Changes of the oplog applied on the destination");
    describe_gauge!(BUS_BYTES, "Bytes of oplog batches that the bus keeps");
    describe_gauge!(WINDOW, "Seconds between the oldest and the newest entry of the source's oplog");
    describe_gauge!(WARNINGS, "Failures and warnings that stand");
    describe_gauge!(DOWNTIME, "Write downtime of the cutover, once committed");
    for phase in Phase::ALL {
        gauge!(PHASE, "phase" => phase.as_str()).set(0.0);
    }
    for name in [
        DOCUMENTS,
        DOCUMENTS_TOTAL,
        BYTES,
        BYTES_TOTAL,
        LAG_CAPTURE,
        LAG_APPLY,
        LAG,
        CHANGES,
        BUS_BYTES,
        WINDOW,
        WARNINGS,
        DOWNTIME,
    ] {
        gauge!(name).set(0.0);
    }
}

pub fn show(status: &MigrationStatus) {
    for phase in Phase::ALL {
        gauge!(PHASE, "phase" => phase.as_str()).set(if phase == status.phase { 1.0 } else { 0.0 });
    }
    let lag = status.lag.unwrap_or_default();
    for (name, value) in [
        (DOCUMENTS, status.documents),
        (DOCUMENTS_TOTAL, status.documents_total),
        (BYTES, status.bytes),
        (BYTES_TOTAL, status.bytes_total),
        (CHANGES, status.changes_applied),
        (BUS_BYTES, status.bus_bytes),
        (WINDOW, status.oplog_window_seconds.unwrap_or(0)),
        (WARNINGS, (status.warnings.len() + status.failures.len()) as u64),
    ] {
        gauge!(name).set(value as f64);
    }
    for (name, milliseconds) in [
        (LAG_CAPTURE, lag.source_to_bus_ms),
        (LAG_APPLY, lag.bus_to_destination_ms),
        (LAG, lag.total_ms),
        (DOWNTIME, status.write_downtime_ms.unwrap_or(0)),
    ] {
        gauge!(name).set(milliseconds as f64 / 1_000.0);
    }
}
