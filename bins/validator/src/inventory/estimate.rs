//! How long the copy may take, and how much disk it needs where. Pure.

use mongoferry_protocol::Estimates;

use crate::oplog_view::OplogView;

/// Documents copied in a second, indexes built on the way included: what one machine with two processors and ordinary
/// disks does.
const COPY_BYTES_PER_SECOND: u64 = 30 << 20;
/// Starting, and building the last indexes.
const FIXED_SECONDS: u64 = 10;
/// The source may write more than it did, and the copy take longer.
const OPLOG_RESERVE: u64 = 3;

/// `disk_bytes` is what the data takes on the source's disk, where that is known.
pub(super) fn estimate(bytes: u64, disk_bytes: Option<u64>, oplog: Option<&OplogView>) -> Estimates {
    let copy_seconds = FIXED_SECONDS + bytes.div_ceil(COPY_BYTES_PER_SECOND);
    let oplog_bytes_per_second = oplog.and_then(OplogView::bytes_per_second);
    let bus_disk_bytes = oplog_bytes_per_second.map(|rate| rate * copy_seconds * OPLOG_RESERVE);
    Estimates {
        copy_seconds,
        oplog_bytes_per_second,
        bus_disk_bytes,
        destination_disk_bytes: disk_bytes.map(|bytes| bytes + bus_disk_bytes.unwrap_or(0)),
    }
}

#[cfg(test)]
mod tests {
    use mongoferry_protocol::{Estimates, Optime};

    use super::estimate;
    use crate::oplog_view::{OplogSize, OplogView};

    #[test]
    fn size_and_write_rate_decide() {
        let oplog = OplogView {
            oldest: Optime::new(1_000, 1),
            newest: Optime::new(1_100, 1),
            size: Some(OplogSize { used: 1_000, max: 10_000 }),
        };
        let found = estimate(300 << 20, Some(1_000_000), Some(&oplog));
        let expected = Estimates {
            copy_seconds: 20,
            oplog_bytes_per_second: Some(10),
            bus_disk_bytes: Some(600),
            destination_disk_bytes: Some(1_000_600),
        };
        assert_eq!(found, expected);
        assert_eq!(estimate(0, None, None), Estimates { copy_seconds: 10, ..Estimates::default() });
    }
}
