//! What the validator found, as it is printed, stored and served.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{ClusterIdentity, CollectionUuid, Inventory, Namespace};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    Info,
    Warning,
    Error,
}

/// The check of the bus. Without it nobody knows what of the destination is the migration's own.
const BUS: &str = "MF-V21";

/// The outcome of one check. A check that passed is a finding of severity info.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// `MF-V01` … as in the README.
    pub code: String,
    pub severity: Severity,
    /// What was checked, in a few words.
    pub check: String,
    pub found: String,
    /// Why it matters. Empty where nothing is wrong.
    pub reason: String,
    /// What to do. Empty where nothing is wrong.
    pub remedy: String,
    /// Something does not answer, and may by itself.
    #[serde(default)]
    pub may_pass: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ValidationReport {
    pub findings: Vec<Finding>,
    /// Absent where the cluster could not be asked.
    pub source: Option<ClusterIdentity>,
    pub destination: Option<ClusterIdentity>,
    pub collections: u64,
    pub documents: u64,
    pub bytes: u64,
    pub indexes: u64,
    pub finished_at_ms: u64,
    /// Absent where the source's content could not be listed.
    #[serde(default)]
    pub inventory: Option<Inventory>,
    /// What stands in the way on the destination and is to be dropped, which was asked for and confirmed. Empty without that.
    #[serde(default)]
    pub to_drop: Vec<DropTarget>,
}

/// A collection or view of the destination that is to go before the migration begins: this one, and no later one of its
/// name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DropTarget {
    pub namespace: Namespace,
    /// Views and time-series collections have none.
    pub uuid: Option<CollectionUuid>,
    pub documents: u64,
    /// On the destination's disk, with indexes.
    pub disk_bytes: u64,
}

impl ValidationReport {
    /// No check found an error; warnings may stand.
    pub fn passed(&self) -> bool {
        self.findings.iter().all(|finding| finding.severity < Severity::Error)
    }

    /// Of a migration that has begun: some party is away, and what else was found means nothing, or little, before it is back.
    pub fn waits_for_a_party(&self) -> bool {
        let bus_is_away = self.errors().any(|finding| finding.may_pass && finding.code == BUS);
        bus_is_away || !self.passed() && self.errors().all(|finding| finding.may_pass)
    }

    pub fn errors(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.severity == Severity::Error)
    }
}

#[cfg(test)]
mod tests {
    use super::{Finding, Severity, ValidationReport};

    fn report(errors: &[(&str, bool)]) -> ValidationReport {
        let error = |&(code, may_pass): &(&str, bool)| Finding {
            code: code.to_owned(),
            severity: Severity::Error,
            check: String::new(),
            found: String::new(),
            reason: String::new(),
            remedy: String::new(),
            may_pass,
        };
        ValidationReport { findings: errors.iter().map(error).collect(), ..ValidationReport::default() }
    }

    #[test]
    fn only_who_is_away_is_waited_for() {
        assert!(!report(&[]).waits_for_a_party());
        assert!(report(&[("MF-V02", true), ("MF-V24", true)]).waits_for_a_party());
        assert!(!report(&[("MF-V02", true), ("MF-V04", false)]).waits_for_a_party());
        assert!(report(&[("MF-V21", true), ("MF-V14", false)]).waits_for_a_party());
        assert!(!report(&[("MF-V21", false)]).waits_for_a_party());
    }
}
