//! What befell the migration's processes and legs, summed up from what each process recorded. Pure.

use std::collections::BTreeMap;

use mongoferry_protocol::{PastOutage, ProcessRecord, RoleHistory};

/// Reports of one outage by several processes touch one another at least this closely.
const SAME_OUTAGE_MS: u64 = 1_000;

/// What is in the report.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Survived {
    pub processes: Vec<RoleHistory>,
    pub outages: Vec<PastOutage>,
    pub index_builds_again: u64,
    pub changes_read_again: u64,
    pub catalog_changes_again: u64,
}

/// `records` by `<role>.<instance>`.
pub fn survived(records: &[(String, ProcessRecord)]) -> Survived {
    let mut survived = Survived::default();
    let mut roles: BTreeMap<&str, RoleHistory> = BTreeMap::new();
    for (name, record) in records {
        let role = name.split('.').next().unwrap_or_default();
        let history = roles.entry(role).or_default();
        role.clone_into(&mut history.role);
        history.processes += 1;
        history.starts += record.starts;
        history.abrupt_ends += record.abrupt_ends;
        history.takeovers += record.takeovers;
        for (code, count) in &record.failed {
            *history.failed.entry(code.clone()).or_default() += count;
        }
        survived.index_builds_again += record.index_builds_again;
        survived.changes_read_again += record.changes_read_again;
        survived.catalog_changes_again += record.catalog_changes_again;
    }
    survived.processes = roles.into_values().collect();
    survived.outages = merged(records.iter().flat_map(|(_, record)| record.outages.clone()).collect());
    survived
}

/// What several processes tell of the same outage is one, from the first that missed the party to the last that reached it again.
fn merged(mut told: Vec<PastOutage>) -> Vec<PastOutage> {
    told.sort_by_key(|outage| (outage.party, outage.since_ms));
    let mut merged: Vec<PastOutage> = Vec::new();
    for outage in told {
        match merged.last_mut() {
            Some(last) if last.party == outage.party && outage.since_ms <= last.until_ms + SAME_OUTAGE_MS => {
                last.until_ms = last.until_ms.max(outage.until_ms);
            }
            _ => merged.push(outage),
        }
    }
    merged.sort_by_key(|outage| outage.since_ms);
    merged
}

#[cfg(test)]
mod tests {
    use mongoferry_protocol::{Party, PastOutage, ProcessRecord};

    use super::survived;

    #[test]
    fn what_several_processes_tell_of_an_outage_is_one() {
        let outage = |party, since_ms, until_ms| PastOutage { party, since_ms, until_ms };
        let told = |outages: &[PastOutage]| ProcessRecord { outages: outages.to_vec(), ..ProcessRecord::default() };
        let records = [
            (
                "copier.copier-1".into(),
                told(&[outage(Party::Source, 5_000, 9_000), outage(Party::Source, 60_000, 61_000)]),
            ),
            ("applier.applier".into(), told(&[outage(Party::Bus, 6_000, 7_000), outage(Party::Source, 4_000, 5_500)])),
        ];
        let expected = [
            outage(Party::Source, 4_000, 9_000),
            outage(Party::Bus, 6_000, 7_000),
            outage(Party::Source, 60_000, 61_000),
        ];
        assert_eq!(survived(&records).outages, expected);
    }

    #[test]
    fn the_processes_of_a_role_are_counted_together() {
        let record = |starts, abrupt_ends, code: &str| ProcessRecord {
            starts,
            abrupt_ends,
            failed: [(code.to_owned(), 1)].into(),
            ..ProcessRecord::default()
        };
        let records = [
            ("copier.copier-1".into(), record(3, 1, "MF-MONGO-1")),
            ("copier.copier-2".into(), record(1, 0, "MF-MONGO-1")),
        ];
        let processes = survived(&records).processes;
        assert_eq!(processes.len(), 1);
        let copiers = &processes[0];
        assert_eq!((copiers.processes, copiers.starts, copiers.abrupt_ends), (2, 4, 1));
        assert_eq!(copiers.failed["MF-MONGO-1"], 2);
    }
}
