//! What befell the processes of a migration and what they did twice: kept in the bucket, so that the report tells it whoever was
//! killed meanwhile.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Party;

/// An outage that is over, as a process met it: from the moment it missed the party until it reached it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PastOutage {
    pub party: Party,
    /// Milliseconds since 1970.
    pub since_ms: u64,
    pub until_ms: u64,
}

/// All lives of one process, by its instance name. Written by itself alone, within a second of what it tells; what happened in
/// the second before a SIGKILL is not in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProcessRecord {
    pub starts: u32,
    /// Lives that ended without a word: killed, lost with their machine, or ended while the bus was away.
    pub abrupt_ends: u32,
    /// Lives that ended with a failure, by its code.
    pub failed: BTreeMap<String, u32>,
    /// The present life has not ended in order.
    pub running: bool,
    /// Leases taken from a holder that had fallen silent.
    pub takeovers: u32,
    /// Changes that were read again behind a checkpoint and found applied.
    pub changes_read_again: u64,
    /// Catalog changes that a former life had begun and that were done again.
    pub catalog_changes_again: u64,
    /// Index builds asked for a second time, because the index did not stand yet.
    pub index_builds_again: u64,
    /// The latest ones, oldest first.
    pub outages: Vec<PastOutage>,
    /// Since when a party is missed that nobody has reached again yet, in milliseconds since 1970.
    pub missing: BTreeMap<Party, u64>,
}

const MOST_OUTAGES: usize = 200;

impl ProcessRecord {
    /// Begins another life.
    pub fn begin_life(&mut self) {
        self.starts += 1;
        self.abrupt_ends += u32::from(std::mem::replace(&mut self.running, true));
    }

    /// Adds what was counted since the record was stored.
    pub fn add(&mut self, counted: Self) {
        self.takeovers += counted.takeovers;
        self.changes_read_again += counted.changes_read_again;
        self.catalog_changes_again += counted.catalog_changes_again;
        self.index_builds_again += counted.index_builds_again;
        for (code, count) in counted.failed {
            *self.failed.entry(code).or_default() += count;
        }
    }

    /// An outage has ended. It began earlier if a former life of the process had met it.
    pub fn end_outage(&mut self, outage: PastOutage) {
        let since_ms = self.missing.remove(&outage.party).map_or(outage.since_ms, |since| since.min(outage.since_ms));
        self.outages.push(PastOutage { since_ms, ..outage });
        let excess = self.outages.len().saturating_sub(MOST_OUTAGES);
        self.outages.drain(..excess);
    }
}

#[cfg(test)]
mod tests {
    use super::{PastOutage, ProcessRecord};
    use crate::Party;

    #[test]
    fn a_life_that_ended_without_a_word_is_counted_at_the_next_start() {
        let mut record = ProcessRecord::default();
        record.begin_life();
        assert_eq!((record.starts, record.abrupt_ends), (1, 0));
        record.running = false;
        record.begin_life();
        record.begin_life();
        assert_eq!((record.starts, record.abrupt_ends), (3, 1));
    }

    #[test]
    fn an_outage_that_outlived_a_process_is_one_outage() {
        let mut record = ProcessRecord::default();
        record.missing.insert(Party::Source, 1_000);
        record.end_outage(PastOutage { party: Party::Source, since_ms: 5_000, until_ms: 9_000 });
        assert_eq!(record.outages, [PastOutage { party: Party::Source, since_ms: 1_000, until_ms: 9_000 }]);
        assert!(record.missing.is_empty());
    }
}
