//! The kinds of process a migration is made of.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A stage. Its text is the directory of its binary, `mongoferry-<role>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    Validator,
    OplogTailer,
    Copier,
    Indexer,
    Applier,
    Verifier,
    CutoverCoordinator,
}

impl Role {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Validator => "validator",
            Self::OplogTailer => "oplog-tailer",
            Self::Copier => "copier",
            Self::Indexer => "indexer",
            Self::Applier => "applier",
            Self::Verifier => "verifier",
            Self::CutoverCoordinator => "cutover-coordinator",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
