//! MF-V11: the source's oplog can be read. MF-V12: it reaches back far enough to survive a pause of the capture. Pure.

use mongoferry_mongo::MongoError;
use mongoferry_protocol::Finding;

use crate::{
    check::{Check, Trouble},
    format_size::{bytes, seconds},
    oplog_view::{OplogSize, OplogView},
};

const SHORT_WINDOW_SECONDS: u64 = 3_600;
/// What was written in so short a time says nothing about the rest.
const TOO_YOUNG_SECONDS: u64 = 60;

pub(crate) fn check(oplog: &Result<OplogView, MongoError>) -> Vec<Finding> {
    let readable = Check::new("MF-V11", "source: oplog is readable");
    match oplog {
        Ok(oplog) => {
            vec![readable.passes(format!("{} to {}", oplog.oldest, oplog.newest)), window(oplog.seconds(), oplog.size)]
        }
        Err(error) => vec![readable.fails_by(error)],
    }
}

/// The oplog of a young cluster reaches back to its beginning, and will reach further once it is full.
fn window(reached_seconds: u64, size: Option<OplogSize>) -> Finding {
    let check = Check::new("MF-V12", "source: oplog window");
    let expected = match size {
        Some(OplogSize { used, max }) if used < max / 10 * 9 && reached_seconds < TOO_YOUNG_SECONDS => {
            return check.passes(format!("an oplog of {}, too young to tell how far it will reach back", bytes(max)));
        }
        Some(OplogSize { used, max }) if used > 0 && used < max / 10 * 9 => {
            (u128::from(reached_seconds) * u128::from(max) / u128::from(used)) as u64
        }
        _ => reached_seconds,
    };
    let max = size.map_or_else(String::new, |size| format!(" of {}", bytes(size.max)));
    let found = if expected > reached_seconds {
        format!("an oplog{max} that has not filled up yet; about {} when it has", seconds(expected))
    } else {
        format!("an oplog{max} that reaches back {}", seconds(reached_seconds))
    };
    if expected >= SHORT_WINDOW_SECONDS {
        return check.passes(found);
    }
    check.warns(Trouble::new(
        found,
        "Changes are kept on the bus, but if the capture is down for longer than this, they are lost and the migration \
         must begin anew.",
        "Enlarge it on every member: db.adminCommand({replSetResizeOplog: 1, size: 16384}) (MB), on 4.4 and newer also \
         minRetentionHours: 24.",
    ))
}

#[cfg(test)]
mod tests {
    use mongoferry_protocol::Severity;

    use super::window;
    use crate::oplog_view::OplogSize;

    #[test]
    fn a_window_under_an_hour_warns_unless_it_still_grows() {
        let full = Some(OplogSize { used: 99, max: 100 });
        let young = Some(OplogSize { used: 1, max: 100 });
        let half = Some(OplogSize { used: 50, max: 100 });
        for (reached, size, severity) in [
            (3_599, full, Severity::Warning),
            (3_600, full, Severity::Info),
            (100, young, Severity::Info),
            (10, young, Severity::Info),
            (60, half, Severity::Warning),
            (100, None, Severity::Warning),
        ] {
            assert_eq!(window(reached, size).severity, severity, "{reached}");
        }
    }
}
