//! Whether an item of work is to be done now. Pure: the same records give the same step.

use mongoferry_protocol::{Optime, Phase, PhaseRecord};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Compare; every write of users to the source precedes this optime.
    Compare(Optime),
    /// The records do not say yet, or a failure holds the migration: ask again in a moment.
    Wait,
    /// Done already, or of a cutover that was taken back.
    Drop,
}

/// The phase in which documents, or metadata, are compared.
pub(crate) fn phase_of(metadata: bool) -> Phase {
    if metadata { Phase::Finalizing } else { Phase::Verifying }
}

/// What to do with the item `Verify {cutover, metadata}`.
pub(crate) fn decide(cutover: u32, metadata: bool, finished: bool, record: Option<&PhaseRecord>) -> Step {
    let Some(record) = record else { return Step::Wait };
    if finished || record.phase.is_final() {
        return Step::Drop;
    }
    let Some(attempt) = &record.cutover else { return Step::Wait };
    match attempt.number.cmp(&cutover) {
        std::cmp::Ordering::Less => Step::Wait,
        std::cmp::Ordering::Greater => Step::Drop,
        std::cmp::Ordering::Equal => match (record.phase, attempt.silent_from) {
            (phase, Some(silent_from)) if phase == phase_of(metadata) => Step::Compare(silent_from),
            (Phase::CatchingUp | Phase::Ready | Phase::Expired, _) => Step::Drop,
            (Phase::Finalizing, Some(_)) => Step::Drop,
            _ => Step::Wait,
        },
    }
}

#[cfg(test)]
mod tests {
    use mongoferry_protocol::{CutoverRecord, Optime, Phase, PhaseRecord};

    use super::{Step, decide};

    fn record(phase: Phase, number: u32) -> PhaseRecord {
        let silent_from = Some(Optime::new(7, 1));
        let cutover = CutoverRecord {
            number,
            requested_at_ms: 1,
            silent_from,
            drained_at_ms: None,
            committed_at_ms: None,
            accept_missing_indexes: false,
            accept_source_writes: false,
            block_writes: false,
            blocked_at_ms: None,
            predicted_ms: None,
            confirmed_from: None,
            expiring: Vec::new(),
        };
        PhaseRecord { phase, cutover: Some(cutover), ..PhaseRecord::created() }
    }

    #[test]
    fn each_kind_in_its_phase_of_its_cutover() {
        let compare = Step::Compare(Optime::new(7, 1));
        for (metadata, finished, phase, number, step) in [
            (false, false, Phase::Verifying, 2, compare),
            (true, false, Phase::Finalizing, 2, compare),
            (false, true, Phase::Verifying, 2, Step::Drop),
            (false, false, Phase::Draining, 2, Step::Wait),
            (true, false, Phase::Verifying, 2, Step::Wait),
            (false, false, Phase::Failed, 2, Step::Wait),
            (false, false, Phase::CatchingUp, 2, Step::Drop),
            (false, false, Phase::Finalizing, 2, Step::Drop),
            (false, false, Phase::Verifying, 3, Step::Drop),
            (false, false, Phase::Verifying, 1, Step::Wait),
            (true, false, Phase::Committed, 2, Step::Drop),
        ] {
            let decided = decide(2, metadata, finished, Some(&record(phase, number)));
            assert_eq!(decided, step, "{metadata} {finished} {phase} {number}");
        }
        assert_eq!(decide(1, false, false, None), Step::Wait);
        assert_eq!(decide(1, false, false, Some(&PhaseRecord::created())), Step::Wait);
    }
}
