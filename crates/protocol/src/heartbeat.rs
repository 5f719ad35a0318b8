//! A sign of life of a process.

use serde::{Deserialize, Serialize};

use crate::{Failure, Outage, Role};

/// Sent every second over core NATS; never stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heartbeat {
    pub role: Role,
    pub instance: String,
    pub version: String,
    pub pid: u32,
    pub host: String,
    /// Holds its role's lease, or has no need of one; otherwise it stands by.
    pub active: bool,
    /// Lower-case fragment for people: what it does right now.
    pub activity: String,
    /// Whom it does not reach right now.
    pub outages: Vec<Outage>,
    /// What it fails at and tries again.
    pub troubles: Vec<Failure>,
    pub sent_at_ms: u64,
}
