//! Whether what capture has yet to read will still be in the source's oplog. Pure.

use mongoferry_protocol::{Explain, Optime, Retry};

use crate::oplog_watch::OplogReach;

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "capture of the oplog is {behind} s behind the source, whose oplog begins only {left} s before what is captured: half of what it \
     holds is used up"
)]
pub struct OplogRoom {
    behind: u32,
    left: u32,
}

/// No tailer at work is so far behind for long.
const NOTABLE_SECONDS: u32 = 3;

/// Warns once capture is behind by half of what the oplog holds, and entries are being removed.
pub fn oplog_room(reach: OplogReach, captured: Optime) -> Option<OplogRoom> {
    let behind = reach.newest.t.saturating_sub(captured.t);
    let left = headroom(reach, captured);
    (reach.rolls && behind >= NOTABLE_SECONDS && behind >= left).then_some(OplogRoom { behind, left })
}

/// Seconds of the oplog behind what is captured.
pub fn headroom(reach: OplogReach, captured: Optime) -> u32 {
    captured.t.saturating_sub(reach.oldest.t)
}

impl Explain for OplogRoom {
    fn code(&self) -> &'static str {
        "MF-COORD-16"
    }

    fn hint(&self) -> String {
        "See what keeps the oplog-tailer (`mongoferry status`, its log), and enlarge the source's oplog meanwhile: \
         db.adminCommand({replSetResizeOplog: 1, size: <MiB>}) on each member. Once the oplog no longer reaches back to what is \
         captured, the migration must begin anew."
            .into()
    }

    fn retry(&self) -> Retry {
        Retry::Soon
    }
}

#[cfg(test)]
mod tests {
    use mongoferry_protocol::Optime;

    use super::{OplogRoom, oplog_room};
    use crate::oplog_watch::OplogReach;

    #[test]
    fn warns_from_half_of_what_an_oplog_that_rolls_holds() {
        let reach = |oldest, rolls| OplogReach { oldest: Optime::new(oldest, 1), newest: Optime::new(1_000, 9), rolls };
        let captured = |t| Optime::new(t, 1);
        assert_eq!(oplog_room(reach(100, true), captured(999)), None);
        assert_eq!(oplog_room(reach(100, true), captured(551)), None);
        assert_eq!(oplog_room(reach(100, true), captured(500)), Some(OplogRoom { behind: 500, left: 400 }));
        assert_eq!(oplog_room(reach(700, true), captured(500)), Some(OplogRoom { behind: 500, left: 0 }));
        assert_eq!(oplog_room(reach(100, false), captured(500)), None);
        assert_eq!(oplog_room(reach(998, true), captured(999)), None, "a moment");
    }
}
