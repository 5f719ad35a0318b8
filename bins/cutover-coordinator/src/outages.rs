//! Which legs are down, by what the coordinator and the other processes say. Pure.

use std::collections::BTreeMap;

use mongoferry_protocol::{Outage, OutageStatus, Party};

/// One entry a party, from what each process (by its instance name) does not reach at `now_ms`.
pub fn outages<'a>(reports: impl Iterator<Item = (&'a str, &'a Outage)>, now_ms: u64) -> Vec<OutageStatus> {
    let mut by_party: BTreeMap<Party, OutageStatus> = BTreeMap::new();
    for (instance, outage) in reports {
        let status = by_party.entry(outage.party).or_insert_with(|| OutageStatus {
            party: outage.party,
            instances: Vec::new(),
            since_ms: outage.since_ms,
            down_for_ms: 0,
            reason: outage.reason.clone(),
        });
        status.instances.push(instance.to_owned());
        status.since_ms = status.since_ms.min(outage.since_ms);
        status.down_for_ms = now_ms.saturating_sub(status.since_ms);
    }
    by_party.into_values().collect()
}

#[cfg(test)]
mod tests {
    use mongoferry_protocol::{Outage, Party};

    use super::outages;

    #[test]
    fn those_who_miss_the_same_party_are_named_together() {
        let outage = |party, since_ms| Outage { party, since_ms, reason: "refused".into() };
        let (source, later, bus) =
            (outage(Party::Source, 2_000), outage(Party::Source, 1_000), outage(Party::Bus, 500));
        let shown = outages([("copier-1", &source), ("oplog-tailer-1", &later), ("copier-1", &bus)].into_iter(), 3_000);
        assert_eq!(shown.len(), 2);
        assert_eq!(shown[0].instances, ["copier-1", "oplog-tailer-1"]);
        assert_eq!((shown[0].party, shown[0].since_ms, shown[0].down_for_ms), (Party::Source, 1_000, 2_000));
        assert_eq!((shown[1].party, shown[1].down_for_ms), (Party::Bus, 2_500));
    }
}
