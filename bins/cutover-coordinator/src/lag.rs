//! How far the destination is behind the source. Pure.

use mongoferry_mongo::LastOptimes;
use mongoferry_protocol::{CaptureProgress, Checkpoint, Lag};

/// By leg, from the wall times of the entries concerned; a leg whose two ends are the same entry is 0, and one that is
/// behind at all is at least 1 ms.
pub fn lag(
    source: Option<LastOptimes>,
    capture: Option<&CaptureProgress>,
    applied: Option<&Checkpoint>,
) -> Option<Lag> {
    let (source, capture, applied) = (source?, capture?, applied?);
    // Before its first change the applier stands at the start point, whose wall time it never saw.
    let applied_wall_ms = applied.applied_wall_ms.max(u64::from(applied.applied.t) * 1_000);
    let behind = |caught_up: bool, ahead_ms: u64, behind_ms: u64| {
        if caught_up { 0 } else { ahead_ms.saturating_sub(behind_ms).max(1) }
    };
    Some(Lag {
        source_to_bus_ms: behind(capture.captured >= source.last, source.last_wall_ms, capture.captured_wall_ms),
        bus_to_destination_ms: behind(applied.applied >= capture.captured, capture.captured_wall_ms, applied_wall_ms),
        total_ms: behind(applied.applied >= source.last, source.last_wall_ms, applied_wall_ms),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use mongoferry_protocol::Optime;

    fn source(t: u32) -> Option<LastOptimes> {
        let (last, last_wall_ms) = (Optime::new(t, 1), u64::from(t) * 1_000);
        Some(LastOptimes { last, last_wall_ms, majority: last, majority_wall_ms: last_wall_ms, term: 1 })
    }

    fn capture(t: u32) -> CaptureProgress {
        CaptureProgress {
            captured: Optime::new(t, 1),
            captured_wall_ms: u64::from(t) * 1_000 + 900,
            last_change: Optime::ZERO,
            last_change_namespace: None,
            last_expiry: Optime::ZERO,
            expiries: 0,
            entries_captured: 0,
            source_oldest: Optime::ZERO,
        }
    }

    fn applied(t: u32) -> Checkpoint {
        Checkpoint { applied: Optime::new(t, 1), applied_wall_ms: u64::from(t) * 1_000 + 900, ..Checkpoint::default() }
    }

    #[test]
    fn lag_is_0_only_if_nothing_is_left() {
        let of = |s, c, a| lag(source(s), Some(&capture(c)), Some(&applied(a))).expect("all known");
        assert_eq!(of(9, 9, 9), Lag::default());
        // The wall times alone would say 0: `hello` gives whole seconds.
        assert_eq!(of(9, 8, 8).total_ms, 100);
        assert_eq!(of(9, 9, 8).source_to_bus_ms, 0);
        assert_eq!(of(9, 9, 8).bus_to_destination_ms, 1_000);
        assert_eq!(lag(None, Some(&capture(9)), Some(&applied(9))), None);
    }
}
