//! Comparing again what is known to differ, because an operator asks for it, and copying it again if that is asked for, too.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{CollectionUuid, Difference, Failure};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ComparisonState {
    Running,
    /// Nothing of what was known to differ does any more.
    Equal,
    Different,
    /// The migration went on, or the applier could not do its part; `remarks` says what happened.
    Stopped,
}

/// Something to know about what could not be compared or repaired.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Remark {
    pub code: String,
    pub message: String,
    pub hint: String,
}

/// Created by the coordinator, then written by the verifier that does it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Comparison {
    /// From 1, one more with each order.
    pub number: u32,
    /// Documents that differ are copied again.
    pub repair: bool,
    /// The last cutover before it; 0 if there was none.
    pub cutover: u32,
    pub state: ComparisonState,
    /// Documents that were looked at because they were known to differ, or found to.
    pub looked_at: u64,
    /// Documents copied again.
    pub repaired: u64,
    /// Those that are left, the first named.
    pub differing: Vec<Difference>,
    pub differing_count: u64,
    pub remarks: Vec<Remark>,
    pub ordered_at_ms: u64,
    /// 0 until then.
    pub finished_at_ms: u64,
}

impl Comparison {
    pub fn is_running(&self) -> bool {
        self.state == ComparisonState::Running
    }

    /// Everything that was known to differ was compared again.
    pub fn is_whole(&self) -> bool {
        matches!(self.state, ComparisonState::Equal | ComparisonState::Different)
    }
}

/// A document of the source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepairDocument {
    pub collection: CollectionUuid,
    /// Raw BSON `{_id: …}`.
    pub id: serde_bytes::ByteBuf,
}

/// Written by the verifier: documents that the applier is to copy again. One portion at a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepairPortion {
    /// Another one for each portion.
    pub token: u64,
    pub documents: Vec<RepairDocument>,
}

/// Written by the applier when it is done with a portion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortionRepaired {
    pub token: u64,
    /// Documents that now stand as the source has them, or are gone as they are there.
    pub documents: u64,
    /// Why it was not done.
    pub refused: Option<Failure>,
}
