//! The phases of a migration and which may follow which. Pure: the coordinator decides with it, everybody reads it.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where a migration stands. Owned by the cutover-coordinator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Known to the bus; nothing looked at yet.
    Created,
    /// Both clusters are being checked; nothing is written.
    Validating,
    /// The oplog-tailer picks the start point and begins to capture.
    Starting,
    /// Ranges are copied, and indexes built behind them.
    Copying,
    /// The applier replays what was captured.
    CatchingUp,
    /// Lag is small and the indexes stand: the cutover may begin.
    Ready,
    /// Writes to the source have ended, and what is left is applied.
    Draining,
    /// Unique indexes are prepared and every document is compared. Still revertible.
    Verifying,
    /// Past the point of no return: indexes get their last properties, views are made.
    Finalizing,
    Committed,
    /// A rehearsal came to its end: what was copied stays, as a copy to try things on.
    Rehearsed,
    Paused,
    Failed,
    Cancelled,
    Expired,
}

impl Phase {
    pub const ALL: [Self; 15] = [
        Self::Created,
        Self::Validating,
        Self::Starting,
        Self::Copying,
        Self::CatchingUp,
        Self::Ready,
        Self::Draining,
        Self::Verifying,
        Self::Finalizing,
        Self::Committed,
        Self::Rehearsed,
        Self::Paused,
        Self::Failed,
        Self::Cancelled,
        Self::Expired,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Validating => "validating",
            Self::Starting => "starting",
            Self::Copying => "copying",
            Self::CatchingUp => "catching-up",
            Self::Ready => "ready",
            Self::Draining => "draining",
            Self::Verifying => "verifying",
            Self::Finalizing => "finalizing",
            Self::Committed => "committed",
            Self::Rehearsed => "rehearsed",
            Self::Paused => "paused",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
        }
    }

    /// Nothing follows any more.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Committed | Self::Rehearsed | Self::Cancelled)
    }

    /// The oplog-tailer captures in this phase: from the start point until the end, pauses included.
    pub const fn captures(self) -> bool {
        !matches!(
            self,
            Self::Created | Self::Validating | Self::Committed | Self::Rehearsed | Self::Cancelled | Self::Expired
        )
    }

    /// The applier applies in this phase. Not once the destination is drained: unique indexes are prepared from then on, and
    /// a change that came all the same could break on them.
    pub const fn applies(self) -> bool {
        matches!(self, Self::CatchingUp | Self::Ready | Self::Draining)
    }

    /// The cutover has begun and can still be taken back.
    pub const fn is_revertible_cutover(self) -> bool {
        matches!(self, Self::Draining | Self::Verifying)
    }

    /// From the operator's word that writes have ended until the commit: a user's change on the source is noticed at once.
    pub const fn is_cutover(self) -> bool {
        matches!(self, Self::Draining | Self::Verifying | Self::Finalizing)
    }

    /// May be paused: everything before the cutover.
    pub const fn may_pause(self) -> bool {
        matches!(self, Self::Starting | Self::Copying | Self::CatchingUp | Self::Ready)
    }

    /// Whether `next` may follow. `Paused` and `Failed` go back to the phase they remember, which the caller names.
    pub fn may_become(self, next: Self) -> bool {
        use Phase::*;
        match (self, next) {
            (Created, Validating)
            | (Validating, Starting)
            | (Starting, Copying)
            | (Copying, CatchingUp)
            | (CatchingUp, Ready)
            | (Ready, CatchingUp)
            | (Ready, Draining | Rehearsed)
            | (Draining, Verifying)
            | (Verifying, Finalizing)
            | (Finalizing, Committed) => true,
            // A cutover taken back.
            (Draining | Verifying, CatchingUp) => true,
            // Documents expired meanwhile.
            (Verifying, Draining) => true,
            // The failure came during a pause.
            (Failed, Paused) => true,
            (from, Paused) => from.may_pause(),
            (Paused, to) => to.may_pause() || to == Failed || to == Cancelled,
            (from, Failed) => !from.is_final() && from != Failed,
            (Failed, to) => !matches!(to, Committed | Rehearsed | Failed | Expired),
            (CatchingUp | Ready, Expired) | (Expired, CatchingUp) => true,
            (Expired, Cancelled) => true,
            (from, Cancelled) => !from.is_final() && from != Finalizing,
            _ => false,
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::Phase::{self, *};

    #[test]
    fn the_main_road_is_open_and_has_no_short_cut() {
        let road =
            [Created, Validating, Starting, Copying, CatchingUp, Ready, Draining, Verifying, Finalizing, Committed];
        for (i, from) in road.iter().enumerate() {
            for (j, to) in road.iter().enumerate().skip(i) {
                assert_eq!(from.may_become(*to), j == i + 1, "{from} -> {to}");
            }
        }
    }

    #[test]
    fn nothing_follows_the_end_and_nothing_reverts_behind_the_point_of_no_return() {
        for phase in Phase::ALL {
            assert!(!Committed.may_become(phase), "{phase}");
            assert!(!Cancelled.may_become(phase), "{phase}");
        }
        for phase in [CatchingUp, Ready, Paused, Cancelled, Draining] {
            assert!(!Finalizing.may_become(phase), "{phase}");
        }
        assert!(Finalizing.may_become(Failed));
    }

    #[test]
    fn a_cutover_can_be_taken_back_until_finalizing() {
        for phase in [Draining, Verifying] {
            assert!(phase.is_revertible_cutover() && phase.may_become(CatchingUp));
        }
        assert!(!Finalizing.is_revertible_cutover());
    }
}
