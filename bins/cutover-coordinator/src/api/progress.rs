//! GET /api/v1/progress in mongosync's words, so that scripts written for it go on working.

use mongoferry_protocol::{MigrationStatus, Optime, Phase};
use schemars::JsonSchema;
use serde::Serialize;

#[derive(Serialize, JsonSchema)]
pub struct ProgressAnswer {
    progress: Progress,
    success: bool,
    error: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Progress {
    state: State,
    can_commit: bool,
    can_write: bool,
    info: String,
    lag_time_seconds: Option<u64>,
    total_events_applied: u64,
    collection_copy: CollectionCopy,
    direction_mapping: DirectionMapping,
    source: SourceProgress,
    destination: DestinationProgress,
    verification: VerificationProgress,
    #[serde(rename = "mongosyncID")]
    mongosync_id: String,
    #[serde(rename = "coordinatorID")]
    coordinator_id: String,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum State {
    Idle,
    Running,
    Paused,
    Committing,
    Committed,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct CollectionCopy {
    estimated_total_bytes: u64,
    estimated_copied_bytes: u64,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
struct DirectionMapping {
    source: String,
    destination: String,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct SourceProgress {
    last_optime: Option<Optime>,
    captured_optime: Option<Optime>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct DestinationProgress {
    applied_optime: Option<Optime>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct VerificationProgress {
    verified_documents: u64,
}

pub fn answer_of(status: &MigrationStatus) -> ProgressAnswer {
    let progress = Progress {
        state: state(status.phase),
        can_commit: status.can_commit,
        can_write: status.phase == Phase::Committed,
        info: info(status),
        lag_time_seconds: status.lag.map(|lag| lag.total_ms.div_ceil(1_000)),
        total_events_applied: status.changes_applied,
        collection_copy: CollectionCopy {
            estimated_total_bytes: status.bytes_total,
            estimated_copied_bytes: status.bytes,
        },
        direction_mapping: DirectionMapping { source: status.source.clone(), destination: status.destination.clone() },
        source: SourceProgress { last_optime: status.source_optime, captured_optime: status.captured_optime },
        destination: DestinationProgress { applied_optime: status.applied_optime },
        verification: VerificationProgress { verified_documents: status.verified_documents },
        mongosync_id: status.id.to_string(),
        coordinator_id: status.id.to_string(),
    };
    ProgressAnswer { progress, success: true, error: None }
}

/// mongosync knows no word for a migration that has stopped with its state kept other than PAUSED; `info` says the rest.
fn state(phase: Phase) -> State {
    match phase {
        Phase::Created | Phase::Validating => State::Idle,
        Phase::Starting | Phase::Copying | Phase::CatchingUp | Phase::Ready => State::Running,
        Phase::Paused | Phase::Failed | Phase::Rehearsed | Phase::Cancelled | Phase::Expired => State::Paused,
        Phase::Draining | Phase::Verifying | Phase::Finalizing => State::Committing,
        Phase::Committed => State::Committed,
    }
}

fn info(status: &MigrationStatus) -> String {
    match status.failures.first() {
        Some(failure) => format!("{} [{}]: {}", status.phase, failure.code, failure.message),
        None => status.phase.to_string(),
    }
}
