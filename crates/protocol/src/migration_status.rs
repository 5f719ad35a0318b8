//! What GET /api/v1/migration and /api/v1/report answer; the page, `status`, `migrate` and `demo` show nothing else.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Comparison, Difference, IndexState, MigrationId, Optime, OptimeGap, Party, PastOutage, Phase, Retry, Throttle,
};

/// Delay by leg. Milliseconds by the source's clock; 0 only if the optimes are equal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Lag {
    pub source_to_bus_ms: u64,
    pub bus_to_destination_ms: u64,
    pub total_ms: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CollectionStatus {
    pub namespace: String,
    pub documents: u64,
    pub documents_total: u64,
    pub bytes: u64,
    pub bytes_total: u64,
    pub ranges: u32,
    pub ranges_total: u32,
    pub complete: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct IndexView {
    pub namespace: String,
    pub name: String,
    pub state: IndexState,
    pub reason: Option<String>,
}

/// A process of any role that gave a sign of life lately.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CopierStatus {
    pub role: String,
    pub instance: String,
    pub host: String,
    pub pid: u32,
    pub active: bool,
    pub activity: String,
    pub seen_ms_ago: u64,
}

/// Users of a cluster are kept from writing to it by mongoferry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WriteBlockStatus {
    /// `source` or `destination`.
    pub cluster: String,
    pub since_ms: u64,
    /// What lifts it, typed into a shell on that cluster.
    pub lift: String,
}

/// What a part of the cutover would take now, by what was measured so far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PredictedPart {
    /// Fragment for people, such as `build the unique index email_1 of shop.customers`.
    pub what: String,
    pub ms: u64,
}

/// A leg that is down right now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OutageStatus {
    pub party: Party,
    /// Who does not reach it.
    pub instances: Vec<String>,
    /// When the first of them noticed, in milliseconds since 1970.
    pub since_ms: u64,
    pub down_for_ms: u64,
    pub reason: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FailureStatus {
    pub code: String,
    pub message: String,
    pub hint: String,
    /// Who reports it.
    pub role: String,
    pub instance: String,
    pub causes: Vec<String>,
    pub retry: Retry,
    pub at_ms: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PhaseStay {
    pub phase: Phase,
    pub entered_at_ms: u64,
    /// Until the next phase was entered, or now.
    pub duration_ms: u64,
}

/// What was verified ahead of the cutover, so that the cutover need not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VerifiedAheadView {
    /// Compared whole.
    pub collections: u64,
    /// To be compared ahead.
    pub collections_total: u64,
    /// To be compared at the cutover alone.
    pub collections_at_cutover: u64,
    pub documents: u64,
    pub documents_total: u64,
    pub bytes: u64,
    pub bytes_total: u64,
    /// To be compared at the cutover: of collections that are compared there alone, or not yet.
    pub bytes_at_cutover: u64,
    /// Documents compared again because they changed.
    pub compared_again: u64,
    /// Documents that were not equal when they were last looked at, mostly because a change of them was on its way.
    pub suspects: u64,
    /// Those of them that stay different while no change is on its way; the first are named.
    pub differing_count: u64,
    pub differing: Vec<Difference>,
    /// Writes on the destination that are not mongoferry's.
    pub foreign_writes: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MigrationStatus {
    pub id: MigrationId,
    pub phase: Phase,
    /// The phase that a pause or failure interrupted.
    pub came_from: Option<Phase>,
    pub phases: Vec<PhaseStay>,
    pub source: String,
    pub destination: String,
    pub can_commit: bool,
    /// The source's last optime as the coordinator read it; absent while it can't be read.
    pub source_optime: Option<Optime>,
    pub captured_optime: Option<Optime>,
    pub applied_optime: Option<Optime>,
    pub lag: Option<Lag>,
    /// Between the source's last optime and the applied one; absent while either is unknown.
    #[serde(default)]
    pub gap: Option<OptimeGap>,
    /// Nothing of the source's oplog is left to apply.
    pub gap_closed: bool,
    pub entries_captured: u64,
    pub changes_applied: u64,
    pub documents: u64,
    pub documents_total: u64,
    pub bytes: u64,
    pub bytes_total: u64,
    /// Copied bytes a second over the last seconds.
    pub bytes_per_second: u64,
    /// Seconds until the copy is complete at that rate; absent where unknown.
    pub copy_eta_seconds: Option<u64>,
    /// Seconds until there is no lag, as fast as it shrinks now; while catching up, absent where it does not shrink.
    pub catch_up_eta_seconds: Option<u64>,
    /// How the copy is held back.
    #[serde(default)]
    pub throttle: Throttle,
    pub repeated_documents: u64,
    pub collections: Vec<CollectionStatus>,
    pub indexes: Vec<IndexView>,
    /// All processes, copiers among them.
    pub copiers: Vec<CopierStatus>,
    /// Bytes of oplog batches that the bus keeps.
    pub bus_bytes: u64,
    /// Bytes of them that it takes at most; absent where it sets no limit.
    #[serde(default)]
    pub bus_limit_bytes: Option<u64>,
    /// Seconds between the oldest and the newest entry in the source's oplog.
    pub oplog_window_seconds: Option<u64>,
    /// Seconds of that before what is captured: once there are none, changes are lost.
    #[serde(default)]
    pub oplog_headroom_seconds: Option<u64>,
    pub verified_documents: u64,
    /// Absent until it has begun.
    pub verified_ahead: Option<VerifiedAheadView>,
    /// The last comparing again that was ordered.
    #[serde(default)]
    pub comparison: Option<Comparison>,
    /// When keeping in step ends by itself, unless it is extended; set once the migration was ready.
    pub expires_at_ms: Option<u64>,
    pub failures: Vec<FailureStatus>,
    /// What work waits for right now, the longest of it: it goes on by itself once that is over. Among the warnings too.
    #[serde(default)]
    pub held: Option<FailureStatus>,
    pub warnings: Vec<FailureStatus>,
    pub outages: Vec<OutageStatus>,
    /// What keeps users from writing, set by mongoferry.
    pub write_blocks: Vec<WriteBlockStatus>,
    /// What the write downtime would be if the cutover began now; while ready, once it was looked at.
    pub predicted_downtime_ms: Option<u64>,
    /// What it is made of, longest first.
    pub predicted_parts: Vec<PredictedPart>,
    /// Set once committed.
    pub write_downtime_ms: Option<u64>,
}

/// What befell the processes of a role.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RoleHistory {
    pub role: String,
    /// By instance name.
    pub processes: u32,
    pub starts: u32,
    /// Lives that ended without a word, as after SIGKILL.
    pub abrupt_ends: u32,
    /// Lives that ended with a failure, by its code.
    pub failed: BTreeMap<String, u32>,
    /// Leases taken from a holder that had fallen silent.
    pub takeovers: u32,
}

/// The end of a migration in numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    pub id: MigrationId,
    pub phase: Phase,
    pub mongoferry_version: String,
    pub source: String,
    pub destination: String,
    pub started_at_ms: u64,
    pub finished_at_ms: u64,
    pub phases: Vec<PhaseStay>,
    pub write_downtime_ms: Option<u64>,
    /// What it was predicted to be when the cutover began; while ready, what it would be now.
    pub predicted_downtime_ms: Option<u64>,
    /// What it is made of, longest first; while ready, and in the report of a rehearsal.
    pub predicted_parts: Vec<PredictedPart>,
    /// What keeps users from writing, set by mongoferry.
    pub write_blocks: Vec<WriteBlockStatus>,
    pub collections: u64,
    pub documents_copied: u64,
    pub bytes_copied: u64,
    pub repeated_documents: u64,
    /// Index builds asked for again because the index did not stand after an interruption.
    #[serde(default)]
    pub repeated_index_builds: u64,
    /// Changes read again behind a checkpoint and found applied; none of them is applied twice.
    #[serde(default)]
    pub repeated_changes: u64,
    /// Catalog changes begun before an interruption and done again after it.
    #[serde(default)]
    pub repeated_catalog_changes: u64,
    /// What befell the processes, by role.
    #[serde(default)]
    pub processes: Vec<RoleHistory>,
    /// Outages that are over: of a leg, from the first process that missed it to the last that reached it again.
    #[serde(default)]
    pub outages: Vec<PastOutage>,
    pub indexes: Vec<IndexView>,
    pub entries_captured: u64,
    pub changes_applied: u64,
    /// Oplog entries by which documents expired on the source while the cutover was under way; applied, and no user's writes.
    pub expiries_in_cutover: u64,
    /// `equal`, `different`, `skipped` or `not reached`.
    pub verification: String,
    pub verified_collections: u64,
    pub verified_documents: u64,
    pub verified_bytes: u64,
    pub differences: Vec<Difference>,
    pub difference_count: u64,
    /// What the indexer did at cutover.
    pub finalization: Vec<String>,
    pub failures: Vec<FailureStatus>,
    /// What the operator should do now.
    pub next_steps: Vec<String>,
}
