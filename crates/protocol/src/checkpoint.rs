//! How far the applier has come.

use serde::{Deserialize, Serialize};

use crate::Optime;

/// A copy, for status and decisions, of what stands with the data on the destination.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// Every entry up to and including this one is applied on a majority of the destination.
    pub applied: Optime,
    /// Wall time of that entry on the source, in milliseconds since 1970.
    pub applied_wall_ms: u64,
    /// Stream sequence of the batch that holds it.
    pub sequence: u64,
    /// Changes applied since the migration began.
    pub changes_applied: u64,
    /// The applier's term: grows with each takeover.
    pub term: u64,
}
