//! When a line of progress is due: at each change of phase, and every few seconds.

use std::time::Duration;

use mongoferry_protocol::Phase;
use tokio::time::Instant;

const EVERY: Duration = Duration::from_secs(5);

#[derive(Default)]
pub struct LineDue {
    last: Option<(Phase, Instant)>,
}

impl LineDue {
    /// Whether to write a line now; then the next is due later.
    pub fn now(&mut self, phase: Phase) -> bool {
        let due = self.last.is_none_or(|(shown, at)| shown != phase || at.elapsed() >= EVERY);
        if due {
            self.last = Some((phase, Instant::now()));
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use mongoferry_protocol::Phase;

    use super::LineDue;

    #[test]
    fn a_new_phase_is_told_at_once_and_the_same_one_not_again() {
        let mut due = LineDue::default();
        let told: Vec<bool> =
            [Phase::Starting, Phase::Starting, Phase::Copying, Phase::Copying].map(|phase| due.now(phase)).to_vec();
        assert_eq!(told, [true, false, true, false]);
    }
}
