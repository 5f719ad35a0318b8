//! Whether the bus has room for what is captured, and for how long. Pure.

use mongoferry_bus::BusStorage;
use mongoferry_protocol::{Explain, Retry};

/// Warned of this long before it is full, at the rate of the last seconds.
const SOON_SECONDS: u64 = 3_600;
/// A stream of which less is left takes no further batch of usual size.
const FULL_PERCENT: u64 = 97;
/// Below, a burst says nothing about when it will be full.
const NOTABLE_PERCENT: u64 = 25;

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum BusRoom {
    #[error("the bus is full: {used} of {limit} bytes for oplog batches are taken, and capture waits")]
    Full { used: u64, limit: u64 },
    #[error(
        "the bus will be full in {seconds} s: {used} of {limit} bytes for oplog batches are taken, {rate} bytes come each second"
    )]
    Soon { used: u64, limit: u64, rate: u64, seconds: u64 },
}

/// `rate` in bytes a second.
pub fn bus_room(storage: BusStorage, rate: u64) -> Option<BusRoom> {
    let (used, limit) = (storage.oplog_bytes, storage.oplog_limit?);
    let percent = used.saturating_mul(100) / limit.max(1);
    if percent >= FULL_PERCENT {
        return Some(BusRoom::Full { used, limit });
    }
    let seconds = limit.saturating_sub(used).checked_div(rate)?;
    (percent >= NOTABLE_PERCENT && seconds < SOON_SECONDS).then_some(BusRoom::Soon { used, limit, rate, seconds })
}

impl Explain for BusRoom {
    fn code(&self) -> &'static str {
        match self {
            Self::Full { .. } => "MF-COORD-8",
            Self::Soon { .. } => "MF-COORD-9",
        }
    }

    fn hint(&self) -> String {
        "Give the account on the bus more room, or let the migration apply what is there (`mongoferry resume` if it is paused). \
         Nothing is lost while the source's oplog reaches back to what is captured."
            .into()
    }

    fn retry(&self) -> Retry {
        Retry::Soon
    }
}

#[cfg(test)]
mod tests {
    use mongoferry_bus::BusStorage;

    use super::{BusRoom, bus_room};

    #[test]
    fn warns_before_and_says_when_it_is_full() {
        let storage = |oplog_bytes| BusStorage { oplog_bytes, oplog_messages: 1, oplog_limit: Some(1_000) };
        assert_eq!(bus_room(storage(100), 10), None);
        assert_eq!(bus_room(storage(500), 0), None);
        assert_eq!(bus_room(storage(500), 10), Some(BusRoom::Soon { used: 500, limit: 1_000, rate: 10, seconds: 50 }));
        assert_eq!(bus_room(storage(980), 0), Some(BusRoom::Full { used: 980, limit: 1_000 }));
        assert_eq!(bus_room(BusStorage { oplog_limit: None, ..storage(980) }, 10), None);
    }
}
