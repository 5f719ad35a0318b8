//! A validation that somebody asked for while the coordinator runs: who asks writes it, the validator that stays carries it out.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{ValidationReport, now_ms};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ValidationState {
    /// No validator has taken it yet.
    Requested,
    Running,
    Done,
}

/// The last one asked for; one at a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ValidationJob {
    /// From 1, one more with each.
    pub id: u64,
    pub state: ValidationState,
    pub requested_at_ms: u64,
    /// What was found, once it is done.
    pub report: Option<ValidationReport>,
}

impl ValidationJob {
    pub fn requested(id: u64) -> Self {
        Self { id, state: ValidationState::Requested, requested_at_ms: now_ms(), report: None }
    }

    pub fn is_under_way(&self) -> bool {
        self.state != ValidationState::Done
    }
}
