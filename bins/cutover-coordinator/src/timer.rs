//! A migration that is ready does not stay so for ever: somebody who forgot it would pay for two clusters and a growing bus.

use mongoferry_bus::key;
use mongoferry_mongo::oplog_bounds;
use mongoferry_protocol::{CaptureProgress, Phase, PhaseRecord, now_ms};

use crate::{coordinate::Coordinator, coordinator_error::CoordinatorError};

const HOUR_MS: u64 = 60 * 60 * 1_000;
/// From the first moment of being ready.
const TIMER_MS: u64 = 120 * HOUR_MS;
const EXTENSION_MS: u64 = 24 * HOUR_MS;
/// So long before the end it is a warning.
pub const WARN_BEFORE_MS: u64 = 24 * HOUR_MS;

/// The code of that warning.
pub const EXPIRES_SOON: &str = "MF-CUTOVER-7";

/// To be called when the migration becomes ready.
pub fn start_timer(record: &mut PhaseRecord) {
    record.expires_at_ms.get_or_insert_with(|| now_ms() + TIMER_MS);
}

impl Coordinator {
    /// By 24 hours; never further than to 144 hours from now, so that a call repeated by mistake does little.
    pub async fn put_off(&mut self) -> Result<(), CoordinatorError> {
        let put_off = |record: &mut PhaseRecord| {
            record.expires_at_ms = record.expires_at_ms.map(|at| later(at, now_ms()));
        };
        self.phase.change(put_off).await
    }

    /// Goes on from expired: as long as the source's oplog reaches back to where capturing ended, nothing is lost.
    pub async fn revive(&mut self) -> Result<(), CoordinatorError> {
        let captured: Option<CaptureProgress> = self.view.mirror.get(&key::capture())?;
        let captured = captured.map(|progress| progress.captured).unwrap_or_default();
        let (oldest, _) = oplog_bounds(&self.source).await?;
        if oldest > captured {
            return Err(CoordinatorError::OutOfReach { captured, oldest });
        }
        self.phase.enter(Phase::CatchingUp, |record| record.expires_at_ms = Some(now_ms() + EXTENSION_MS)).await
    }
}

fn later(expires_at_ms: u64, now_ms: u64) -> u64 {
    (expires_at_ms.max(now_ms) + EXTENSION_MS).min(now_ms + TIMER_MS + EXTENSION_MS).max(expires_at_ms)
}

#[cfg(test)]
mod tests {
    use super::{HOUR_MS, later};

    #[test]
    fn an_end_is_put_off_by_a_day_and_never_brought_forward() {
        let hours = |expires: u64, now: u64| later(expires * HOUR_MS, now * HOUR_MS) / HOUR_MS;
        assert_eq!([hours(120, 0), hours(144, 0), hours(130, 0)], [144, 144, 144]);
        assert_eq!([hours(120, 100), hours(90, 100), hours(500, 100)], [144, 124, 500]);
    }
}
