//! What became of a commit, by the phases the migration went through since. Pure.

use mongoferry_protocol::{MigrationStatus, Phase};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CutoverOutcome {
    UnderWay,
    Committed,
    /// Back to catching up, with the reason.
    TakenBack(String),
    Failed,
    Cancelled,
}

/// The number of phases entered before the cutover that a commit means: one that is under way already is that cutover.
pub fn stays_before_cutover(before: &MigrationStatus) -> usize {
    let is_under_way = matches!(before.phase, Phase::Draining | Phase::Verifying | Phase::Finalizing);
    let last_ready = before.phases.iter().rposition(|stay| stay.phase == Phase::Ready).filter(|_| is_under_way);
    last_ready.map_or(before.phases.len(), |ready| ready + 1)
}

/// `stays_before` is the number of phases entered before the cutover.
pub fn cutover_outcome(stays_before: usize, status: &MigrationStatus) -> CutoverOutcome {
    match status.phase {
        Phase::Committed => CutoverOutcome::Committed,
        Phase::Failed => CutoverOutcome::Failed,
        Phase::Cancelled | Phase::Rehearsed => CutoverOutcome::Cancelled,
        Phase::Draining | Phase::Verifying | Phase::Finalizing => CutoverOutcome::UnderWay,
        Phase::Created
        | Phase::Validating
        | Phase::Starting
        | Phase::Copying
        | Phase::CatchingUp
        | Phase::Ready
        | Phase::Paused
        | Phase::Expired => {
            let drained = status.phases.iter().skip(stays_before).any(|stay| stay.phase == Phase::Draining);
            if drained { CutoverOutcome::TakenBack(reason(status)) } else { CutoverOutcome::UnderWay }
        }
    }
}

fn reason(status: &MigrationStatus) -> String {
    let newest = status.failures.iter().chain(&status.warnings).max_by_key(|told| told.at_ms);
    newest.map_or_else(|| "no reason was given".to_owned(), |told| format!("{} [{}]", told.message, told.code))
}

#[cfg(test)]
mod tests {
    use mongoferry_protocol::Phase::{self, *};

    use super::{CutoverOutcome, cutover_outcome, stays_before_cutover};
    use crate::status_text::example_status;

    #[test]
    fn a_cutover_that_is_under_way_already_is_followed_to_its_end() {
        let earlier = [CatchingUp, Ready, Draining, CatchingUp, Ready];
        let before = |since: &[Phase]| stays_before_cutover(&example_status(&[&earlier[..], since].concat()));
        assert_eq!([before(&[]), before(&[Draining]), before(&[Draining, Verifying])], [5, 5, 5]);
        assert_eq!(stays_before_cutover(&example_status(&[Ready, Draining, CatchingUp])), 3);
        let over = example_status(&[&earlier[..], &[Draining, Verifying, CatchingUp]].concat());
        assert!(matches!(cutover_outcome(before(&[Draining]), &over), CutoverOutcome::TakenBack(_)));
    }

    #[test]
    fn a_return_to_catching_up_counts_only_after_a_draining() {
        let road = [Copying, CatchingUp, Ready];
        let outcome = |since: &[Phase]| {
            let status = example_status(&[&road[..], since].concat());
            cutover_outcome(road.len(), &status)
        };
        assert_eq!(outcome(&[]), CutoverOutcome::UnderWay);
        assert_eq!(outcome(&[CatchingUp, Ready]), CutoverOutcome::UnderWay);
        assert_eq!(outcome(&[Draining, Verifying]), CutoverOutcome::UnderWay);
        assert!(matches!(outcome(&[Draining, CatchingUp]), CutoverOutcome::TakenBack(_)));
        assert!(matches!(outcome(&[Draining, Verifying, CatchingUp, Ready]), CutoverOutcome::TakenBack(_)));
        assert_eq!(outcome(&[Draining, Verifying, Finalizing, Committed]), CutoverOutcome::Committed);
    }
}
