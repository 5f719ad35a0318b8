//! A position in the source's oplog.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The `ts` of an oplog entry: seconds since 1970 and an increment. Unique within a replica set's oplog and ordered as it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Optime {
    /// Seconds since 1970.
    pub t: u32,
    /// Counter within the second.
    pub i: u32,
}

/// The text is not of the form `seconds:increment`.
#[derive(Debug, thiserror::Error)]
#[error("optime {0:?} is not of the form seconds:increment")]
pub struct InvalidOptime(String);

impl Optime {
    /// Before every entry: the predecessor of the first batch.
    pub const ZERO: Self = Self { t: 0, i: 0 };

    pub const fn new(t: u32, i: u32) -> Self {
        Self { t, i }
    }
}

impl fmt::Display for Optime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.t, self.i)
    }
}

impl FromStr for Optime {
    type Err = InvalidOptime;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidOptime(text.to_owned());
        let (t, i) = text.split_once(':').ok_or_else(invalid)?;
        Ok(Self { t: t.parse().map_err(|_| invalid())?, i: i.parse().map_err(|_| invalid())? })
    }
}
