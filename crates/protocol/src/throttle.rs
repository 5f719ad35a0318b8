//! How fast the copy may be, and which copier has which part of it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Over all copiers together; what is absent is not limited. Written by the coordinator when an operator says so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Throttle {
    #[schemars(range(min = 1))]
    pub documents_per_second: Option<u64>,
    #[schemars(range(min = 1))]
    pub bytes_per_second: Option<u64>,
    /// How many ranges may be copied at a time.
    #[schemars(range(min = 1))]
    pub ranges_at_once: Option<u32>,
}

impl Throttle {
    pub fn limits(&self) -> bool {
        *self != Self::default()
    }

    /// Nothing is limited to nothing: a pause is for that.
    pub fn is_sound(&self) -> bool {
        self.documents_per_second != Some(0) && self.bytes_per_second != Some(0) && self.ranges_at_once != Some(0)
    }
}

/// What one copier may do; what is absent is not limited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopyShare {
    pub documents_per_second: Option<u64>,
    pub bytes_per_second: Option<u64>,
}

/// The division of a [`Throttle`] among copiers, by the coordinator. A copier that is not in it waits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopyShares {
    /// Without a limit nobody is named, and nobody waits.
    pub limits: bool,
    /// By instance name.
    pub shares: BTreeMap<String, CopyShare>,
}

impl CopyShares {
    /// The share of a copier; `None` if it has to wait.
    pub fn of(&self, copier: &str) -> Option<CopyShare> {
        if self.limits { self.shares.get(copier).copied() } else { Some(CopyShare::default()) }
    }
}
