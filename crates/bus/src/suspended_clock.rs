//! A clock that also counts the time in which the process or the machine was stopped.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Time since boot. `std::time::Instant` stands still while a machine is suspended, so a process that wakes late would
/// believe its lease to be fresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SuspendedClock(Duration);

#[cfg(target_os = "linux")]
const CLOCK: ClockId = ClockId::Boottime;
/// On macOS this clock counts while the machine sleeps.
#[cfg(not(target_os = "linux"))]
const CLOCK: ClockId = ClockId::Monotonic;

impl SuspendedClock {
    pub fn now() -> Self {
        let now = clock_gettime(CLOCK);
        Self(Duration::new(now.tv_sec.unsigned_abs(), now.tv_nsec as u32))
    }

    pub fn elapsed(&self) -> Duration {
        Self::now().0.saturating_sub(self.0)
    }
}
