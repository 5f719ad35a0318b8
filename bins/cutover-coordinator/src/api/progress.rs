//! GET /api/v1/progress in mongosync's words, so that scripts written for it go on working.

use mongoferry_protocol::{MigrationStatus, Phase};
use serde_json::{Value, json};

pub fn progress(status: &MigrationStatus) -> Value {
    let optime = |optime: &Option<mongoferry_protocol::Optime>| json!(optime);
    json!({
        "progress": {
            "state": state(status.phase),
            "canCommit": status.can_commit,
            "canWrite": status.phase == Phase::Committed,
            "info": info(status),
            "lagTimeSeconds": status.lag.map(|lag| lag.total_ms.div_ceil(1_000)),
            "totalEventsApplied": status.changes_applied,
            "collectionCopy": {
                "estimatedTotalBytes": status.bytes_total,
                "estimatedCopiedBytes": status.bytes,
            },
            "directionMapping": {"Source": status.source, "Destination": status.destination},
            "source": {"lastOptime": optime(&status.source_optime), "capturedOptime": optime(&status.captured_optime)},
            "destination": {"appliedOptime": optime(&status.applied_optime)},
            "verification": {"verifiedDocuments": status.verified_documents},
            "mongosyncID": status.id,
            "coordinatorID": status.id,
        },
        "success": true,
        "error": null,
    })
}

/// mongosync knows no word for a migration that has stopped with its state kept other than PAUSED; `info` says the rest.
fn state(phase: Phase) -> &'static str {
    match phase {
        Phase::Created | Phase::Validating => "IDLE",
        Phase::Starting | Phase::Copying | Phase::CatchingUp | Phase::Ready => "RUNNING",
        Phase::Paused | Phase::Failed | Phase::Cancelled | Phase::Expired => "PAUSED",
        Phase::Draining | Phase::Verifying | Phase::Finalizing => "COMMITTING",
        Phase::Committed => "COMMITTED",
    }
}

fn info(status: &MigrationStatus) -> String {
    match status.failures.first() {
        Some(failure) => format!("{} [{}]: {}", status.phase, failure.code, failure.message),
        None => status.phase.to_string(),
    }
}
