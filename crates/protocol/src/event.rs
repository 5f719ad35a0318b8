//! What is told to the outside while a migration runs, and what was told already.

use std::collections::{BTreeMap, VecDeque};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{MigrationId, Phase};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EventKind {
    /// Another phase was entered.
    Phase,
    /// The migration failed.
    Failure,
    Warning,
    WarningCleared,
    /// The time of being kept in step is nearly up.
    Expiry,
    /// The cutover takes longer than was predicted.
    SlowCutover,
}

impl EventKind {
    /// As in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Phase => "phase",
            Self::Failure => "failure",
            Self::Warning => "warning",
            Self::WarningCleared => "warning-cleared",
            Self::Expiry => "expiry",
            Self::SlowCutover => "slow-cutover",
        }
    }
}

/// What webhooks, command hooks and GET /api/v1/events get.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// The same however often it is delivered: `<migration>-<created>-<number>`.
    pub id: String,
    /// From 1, without a gap.
    pub number: u64,
    pub migration: MigrationId,
    pub event: EventKind,
    /// When it was noticed, in milliseconds since 1970; of a phase, when it was entered.
    pub at_ms: u64,
    /// The phase that was entered, or during which the rest happened.
    pub phase: Phase,
    /// Of a failure or a warning, such as `MF-BUS-6`.
    pub code: Option<String>,
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    pub source: String,
    pub destination: String,
}

/// Written by the coordinator that leads: what was announced, so that another start tells neither less nor the same again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announced {
    /// Events so far.
    pub events: u64,
    /// Phases entered.
    pub phases: u64,
    /// When the failure announced last happened.
    pub failed_at_ms: Option<u64>,
    /// Warnings by what tells them apart, each with when it was cleared, in milliseconds since 1970; those that stand without.
    pub warnings: BTreeMap<String, Option<u64>>,
    /// When the cutover that was told to be slow began.
    pub slow_cutover_at_ms: Option<u64>,
    /// On their way to somebody who is notified, oldest first.
    pub pending: VecDeque<Event>,
    /// The number of the last event that each of those was told, by a name that says nothing of its address.
    pub told: BTreeMap<String, u64>,
}
