//! What follows when a stage process ends. Pure.

use std::time::Duration;

const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// Whoever ran this long is not failing at every start.
const STEADY: Duration = Duration::from_secs(30);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterEnd {
    StartAgain(Duration),
    /// An operator must act first, or the command line did not fit.
    GiveUp,
}

/// `code` is absent after a signal; `previous` is the pause before the start that ended now.
pub fn after_end(code: Option<i32>, ran_for: Duration, previous: Option<Duration>) -> AfterEnd {
    match code {
        Some(2 | 3) => AfterEnd::GiveUp,
        _ => AfterEnd::StartAgain(match previous {
            Some(pause) if ran_for < STEADY => LONGEST_PAUSE.min(pause * 2),
            _ => FIRST_PAUSE,
        }),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{AfterEnd, after_end};

    #[test]
    fn pauses_double_up_to_ten_seconds_and_begin_anew_after_a_steady_run() {
        let (short, long) = (Duration::from_secs(1), Duration::from_secs(31));
        let mut pause = None;
        let mut pauses = Vec::new();
        for _ in 0..8 {
            let AfterEnd::StartAgain(next) = after_end(Some(1), short, pause) else { panic!("gave up") };
            pauses.push(next.as_millis());
            pause = Some(next);
        }
        assert_eq!(pauses, [200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
        assert_eq!(after_end(None, long, pause), AfterEnd::StartAgain(Duration::from_millis(200)));
    }

    #[test]
    fn what_needs_an_operator_is_not_started_again() {
        for (code, again) in
            [(Some(0), true), (Some(1), true), (None, true), (Some(101), true), (Some(2), false), (Some(3), false)]
        {
            let after = after_end(code, Duration::ZERO, None);
            assert_eq!(after != AfterEnd::GiveUp, again, "{code:?}");
        }
    }
}
