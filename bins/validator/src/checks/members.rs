//! MF-V24: the members of a replica set are up, a majority votes, none lags, and no election was just held.

use bson::{Bson, DateTime, Document, doc};
use mongoferry_protocol::Finding;

use crate::{
    check::{Check, Trouble},
    cluster_observation::{ClusterObservation, Side},
};

const RECENT_ELECTION_SECONDS: i64 = 600;
const LAG_SECONDS: i64 = 10;

fn members(side: Side) -> Check {
    Check::new("MF-V24", format!("{side}: members"))
}

pub(crate) async fn check(cluster: &ClusterObservation) -> Vec<Finding> {
    match cluster.cluster.command("admin", doc! {"replSetGetStatus": 1}).await {
        Ok(status) => judge(&members(cluster.side), &status),
        Err(error) => vec![members(cluster.side).unanswered(&error)],
    }
}

/// For a set that answers, but not as a whole.
pub(crate) fn no_primary(side: Side, host: &str) -> Finding {
    let trouble = Trouble::new(
        format!("{host} answers, but its replica set has no primary"),
        "Without a primary nothing can be written, nor be read safely.",
        "Look at rs.status() there: a majority of the voting members must run and see one another.",
    );
    members(side).fails_for_now(trouble, true)
}

fn judge(check: &Check, status: &Document) -> Vec<Finding> {
    let members: Vec<&Document> =
        status.get_array("members").into_iter().flatten().filter_map(Bson::as_document).collect();
    let troubles: Vec<Finding> = [down(&members), lagging(&members), elected(status)]
        .into_iter()
        .flatten()
        .map(|trouble| check.warns(trouble))
        .collect();
    if troubles.is_empty() { vec![check.passes(format!("{} up, none lags", members.len()))] } else { troubles }
}

fn down(members: &[&Document]) -> Option<Trouble> {
    let down: Vec<String> = members
        .iter()
        .filter(|member| !matches!(member.get_str("stateStr"), Ok("PRIMARY" | "SECONDARY" | "ARBITER")))
        .map(|member| format!("{} is {}", name(member), member.get_str("stateStr").unwrap_or("in an unknown state")))
        .collect();
    (!down.is_empty()).then(|| {
        Trouble::new(
            down.join("; "),
            "Reads and writes wait for a majority of the members: one more that fails stops the migration.",
            "Bring the member back, or remove it from the replica set (rs.remove).",
        )
    })
}

fn lagging(members: &[&Document]) -> Option<Trouble> {
    let in_state = |state: &'static str| {
        members.iter().filter(move |member| member.get_str("stateStr").is_ok_and(|found| found == state))
    };
    let newest = in_state("PRIMARY").find_map(|member| applied_at(member))?;
    let lagging: Vec<String> = in_state("SECONDARY")
        .filter_map(|member| {
            let seconds = (newest.timestamp_millis() - applied_at(member)?.timestamp_millis()) / 1_000;
            (seconds > LAG_SECONDS).then(|| format!("{} is {seconds} s behind the primary", name(member)))
        })
        .collect();
    (!lagging.is_empty()).then(|| {
        Trouble::new(
            lagging.join("; "),
            "Every write waits for a majority, and only what a majority has is read.",
            "Find out what slows it down (disk, network, rs.printSecondaryReplicationInfo()) before the migration.",
        )
    })
}

/// The first election of a set is its beginning.
fn elected(status: &Document) -> Option<Trouble> {
    let now = status.get_datetime("date").ok()?;
    let metrics = status.get_document("electionCandidateMetrics").ok()?;
    let at = metrics.get_datetime("lastElectionDate").ok()?;
    let seconds = (now.timestamp_millis() - at.timestamp_millis()) / 1_000;
    let first = matches!(status.get("term"), Some(Bson::Int64(..=1) | Bson::Int32(..=1)));
    (seconds < RECENT_ELECTION_SECONDS && !first).then(|| {
        Trouble::new(
            format!("the primary was elected {seconds} s ago"),
            "Each election interrupts the migration for seconds; one that keeps happening keeps it from getting on.",
            "If it was not you who caused it, look for the reason in the former primary's log.",
        )
    })
}

fn name(member: &Document) -> &str {
    member.get_str("name").unwrap_or_default()
}

fn applied_at(member: &Document) -> Option<DateTime> {
    member.get_datetime("optimeDate").ok().copied()
}

#[cfg(test)]
mod tests {
    use bson::{DateTime, Document, doc};
    use mongoferry_protocol::Severity;

    use super::judge;
    use crate::check::Check;

    fn at(seconds: i64) -> DateTime {
        DateTime::from_millis(seconds * 1_000)
    }

    fn found(status: &Document) -> Vec<String> {
        let findings = judge(&Check::new("MF-V24", "members"), status);
        findings
            .into_iter()
            .filter(|finding| finding.severity == Severity::Warning)
            .map(|finding| finding.found)
            .collect()
    }

    #[test]
    fn members_by_state_and_lag() {
        let primary = doc! {"name": "a:1", "stateStr": "PRIMARY", "optimeDate": at(100)};
        let arbiter = doc! {"name": "b:1", "stateStr": "ARBITER"};
        let near = doc! {"name": "c:1", "stateStr": "SECONDARY", "optimeDate": at(91)};
        assert!(found(&doc! {"members": [&primary, &arbiter, &near]}).is_empty());
        let down = doc! {"name": "d:1", "stateStr": "(not reachable/healthy)"};
        let far = doc! {"name": "e:1", "stateStr": "SECONDARY", "optimeDate": at(40)};
        assert_eq!(
            found(&doc! {"members": [primary, down, far]}),
            ["d:1 is (not reachable/healthy)", "e:1 is 60 s behind the primary"]
        );
    }

    #[test]
    fn a_recent_election_that_was_not_the_first() {
        let status = |term: i64, at_seconds: i64| {
            doc! {"date": at(1_000), "term": term, "electionCandidateMetrics": {"lastElectionDate": at(at_seconds)}}
        };
        assert_eq!(found(&status(2, 900)), ["the primary was elected 100 s ago"]);
        assert!(found(&status(1, 900)).is_empty() && found(&status(7, 300)).is_empty());
    }
}
