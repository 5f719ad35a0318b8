//! MF-V21: the bus answers, has JetStream, takes messages of a useful size and has room for the oplog written during the copy.

use mongoferry_bus::{BusError, BusLimits};
use mongoferry_protocol::{Estimates, Explain, Finding, Retry};

use crate::{
    check::{Check, Trouble, with_causes},
    format_size::bytes,
};

/// Entries of the oplog and ids of documents are split into messages of this size at the worst; NATS's default.
const USUAL_PAYLOAD: u64 = 1 << 20;

fn reachable() -> Check {
    Check::new("MF-V21", "bus: reachable, with JetStream")
}

pub(crate) fn answers(url: &str) -> Finding {
    reachable().passes(url)
}

pub(crate) fn fails(error: &BusError) -> Finding {
    let reason = "The stages of the migration exchange everything but documents over the bus.";
    reachable().fails_for_now(Trouble::new(with_causes(error), reason, error.hint()), error.retry() == Retry::Soon)
}

pub(crate) fn limits(limits: BusLimits, estimates: Option<&Estimates>) -> Vec<Finding> {
    judge(limits, estimates.and_then(|estimates| estimates.bus_disk_bytes))
}

fn judge(limits: BusLimits, needed: Option<u64>) -> Vec<Finding> {
    vec![payload(limits.max_payload), room(limits, needed)]
}

fn payload(max_payload: u64) -> Finding {
    let check = Check::new("MF-V21", "bus: size of messages");
    let found = format!("{} at most", bytes(max_payload));
    if max_payload >= USUAL_PAYLOAD {
        return check.passes(found);
    }
    check.warns(Trouble::new(
        found,
        "Batches of oplog entries are split into so small messages, which is slow.",
        "Write max_payload: 1MB (or 8MB) into nats.conf and reload it: nats-server --signal reload.",
    ))
}

/// The server's own disk is not told to clients; the account's limit is.
fn room(limits: BusLimits, needed: Option<u64>) -> Finding {
    let check = Check::new("MF-V21", "bus: room for the oplog");
    let wanted =
        needed.map_or("an oplog of unknown size".to_owned(), |needed| format!("about {} of oplog", bytes(needed)));
    let Some(max) = limits.max_stored_bytes else {
        return check.passes(format!("no limit for this account; its disk has to hold {wanted} while the copy runs"));
    };
    let free = max.saturating_sub(limits.stored_bytes);
    let found = format!("{} left of this account's {}, for {wanted}", bytes(free), bytes(max));
    match needed {
        Some(needed) if free < needed => check.warns(Trouble::new(
            found,
            "A full bus stops the capture; if it stays full longer than the source's oplog reaches back, the migration must \
             begin anew.",
            format!(
                "Raise the limit in nats.conf: accounts {{ NAME: {{ jetstream: {{ max_file: {} }} }} }}, and \
                 jetstream {{ max_file_store: … }} of the server if it is smaller.",
                limits.stored_bytes + needed
            ),
        )),
        _ => check.passes(found),
    }
}

#[cfg(test)]
mod tests {
    use mongoferry_bus::BusLimits;
    use mongoferry_protocol::Severity::{Info, Warning};

    use super::judge;

    #[test]
    fn small_messages_and_too_little_room_warn() {
        for (max_payload, max, needed, severities) in [
            (1 << 20, None, Some(100), [Info, Info]),
            (1 << 16, Some(150), Some(100), [Warning, Warning]),
            (1 << 20, Some(151), Some(100), [Info, Info]),
            (1 << 20, Some(60), None, [Info, Info]),
        ] {
            let limits = BusLimits { max_payload, stored_bytes: 51, max_stored_bytes: max };
            let found: Vec<_> = judge(limits, needed).into_iter().map(|finding| finding.severity).collect();
            assert_eq!(found, severities, "{limits:?}");
        }
    }
}
