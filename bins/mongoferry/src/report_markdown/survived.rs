//! What the migration got over: only what did not go smoothly has a line.

use mongoferry_protocol::{Party, Report, RoleHistory};

use super::list;
use crate::amounts::{count_text, counted, ms_text};

pub fn survived(report: &Report) -> String {
    let roles = report.processes.iter().filter(|role| role.starts > role.processes || role.takeovers > 0);
    let outages = [Party::Source, Party::Destination, Party::Bus].map(|party| outages(report, party));
    list("Survived", &roles.map(process_line).chain(outages.into_iter().flatten()).collect::<Vec<_>>())
}

fn process_line(role: &RoleHistory) -> String {
    let mut parts = vec![match role.processes {
        1 => counted(role.starts.into(), "start"),
        processes => format!("{} of {processes} processes", counted(role.starts.into(), "start")),
    }];
    if role.abrupt_ends > 0 {
        parts.push(format!("{} ended without a word, as after a kill", role.abrupt_ends));
    }
    parts.extend(role.failed.iter().map(|(code, count)| format!("{count} ended with {code}")));
    if role.takeovers > 0 {
        parts.push(format!("{} from a process that had fallen silent", counted(role.takeovers.into(), "takeover")));
    }
    format!("{}: {}", role.role, parts.join("; "))
}

fn outages(report: &Report, party: Party) -> Option<String> {
    let of_party = report.outages.iter().filter(|outage| outage.party == party);
    let lasted: Vec<u64> = of_party.map(|outage| outage.until_ms.saturating_sub(outage.since_ms)).collect();
    let longest = *lasted.iter().max()?;
    Some(match lasted.len() as u64 {
        1 => format!("the {party} was not reached once, for {}", ms_text(longest)),
        times => format!(
            "the {party} was not reached {} times, for {} together and {} at most",
            count_text(times),
            ms_text(lasted.iter().sum()),
            ms_text(longest)
        ),
    })
}
