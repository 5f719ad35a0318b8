//! MF-V22: the clocks of source, destination and this machine agree.

use tokio::time::Instant;

use bson::doc;
use mongoferry_mongo::MongoError;
use mongoferry_protocol::{Finding, now_ms};

use crate::{
    check::{Check, Trouble},
    cluster_observation::ClusterObservation,
};

const TOLERATED_MS: u64 = 1_000;

/// A server's clock against ours: the difference, and how exactly it is known.
#[derive(Clone, Copy)]
struct Offset {
    ms: i64,
    uncertainty_ms: u64,
}

pub(crate) async fn check(cluster: &ClusterObservation) -> Finding {
    let check = Check::new("MF-V22", format!("{}: clock", cluster.side));
    match offset(cluster).await {
        Ok(Some(offset)) => judge(&check, offset),
        Ok(None) => check.passes("the server does not tell its time"),
        Err(error) => check.unanswered(&error),
    }
}

async fn offset(cluster: &ClusterObservation) -> Result<Option<Offset>, MongoError> {
    let (asked_at, asked) = (now_ms(), Instant::now());
    let hello = cluster.cluster.command("admin", doc! {"isMaster": 1}).await?;
    let round_trip_ms = asked.elapsed().as_millis() as u64;
    let theirs = hello.get_datetime("localTime").ok().map(|time| time.timestamp_millis());
    let ours = (asked_at + round_trip_ms / 2) as i64;
    Ok(theirs.map(|theirs| Offset { ms: theirs - ours, uncertainty_ms: round_trip_ms.div_ceil(2) }))
}

fn judge(check: &Check, offset: Offset) -> Finding {
    let (size, direction) = (offset.ms.unsigned_abs(), if offset.ms < 0 { "behind" } else { "ahead of" });
    let found = format!("{size} ms {direction} this machine's (±{} ms)", offset.uncertainty_ms);
    if size.saturating_sub(offset.uncertainty_ms) <= TOLERATED_MS {
        return check.passes(found);
    }
    check.warns(Trouble::new(
        found,
        "Lag and write downtime are told by comparing clocks, and TTL indexes expire documents by the server's.",
        "Set the clocks right on all three machines (NTP: chronyc tracking, timedatectl).",
    ))
}

#[cfg(test)]
mod tests {
    use mongoferry_protocol::Severity;

    use super::{Offset, judge};
    use crate::check::Check;

    #[test]
    fn more_than_a_second_that_the_way_does_not_explain_warns() {
        let check = Check::new("MF-V22", "clock");
        for (ms, uncertainty_ms, severity) in [
            (900, 0, Severity::Info),
            (-1_001, 0, Severity::Warning),
            (1_500, 600, Severity::Info),
            (3_600_000, 600, Severity::Warning),
        ] {
            assert_eq!(judge(&check, Offset { ms, uncertainty_ms }).severity, severity, "{ms}");
        }
    }
}
