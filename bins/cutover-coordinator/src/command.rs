//! What an operator may ask for, and what it leads to. Pure.

use mongoferry_protocol::{Phase, PhaseRecord};
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::sync::oneshot;

use crate::coordinator_error::CoordinatorError;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Begin, where that is waited for.
    Start,
    Pause,
    Resume,
    Commit(CommitOrder),
    Cancel,
    /// Keep in step for longer.
    Extend,
    /// Compare again what is known to differ, and copy it again.
    Verify {
        repair: bool,
    },
}

/// How the operator wants it cut over; what mongosync's users send, `{}` or nothing, is the default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct CommitOrder {
    /// Go without the indexes that the destination can't build.
    pub accept_missing_indexes: bool,
    /// Keep users from writing to the source, from 6.0 on; without it they have to have stopped.
    pub block_writes: bool,
}

/// A command on its way from the API to the loop, with the way back for the answer.
pub struct Request {
    pub command: Command,
    pub answer: oneshot::Sender<Result<(), CoordinatorError>>,
}

impl Command {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Commit(_) => "commit",
            Self::Cancel => "cancel",
            Self::Extend => "extend",
            Self::Verify { repair: false } => "verify",
            Self::Verify { repair: true } => "verify with a repair",
        }
    }
}

/// What a command leads to. Pure. Every command is safe to repeat: what is so already is no error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    Nothing,
    /// Begin, unless what was validated forbids it.
    Start,
    Enter(Phase),
    BeginCutover(CommitOrder),
    /// Forget what has failed and go on here.
    Recover(Phase),
    /// Put the end off.
    PutOff,
    /// Go on behind the end, if that is still possible.
    Revive,
    CompareAgain {
        repair: bool,
    },
    /// The same, behind a recovery: the applier must be at work for a repair.
    RecoverAndRepair(Phase),
    Refuse,
}

pub fn effect(command: Command, record: &PhaseRecord) -> Effect {
    let phase = record.phase;
    match command {
        Command::Start if phase == Phase::Created => Effect::Start,
        Command::Start if phase == Phase::Failed && record.underlying() == Phase::Validating => {
            Effect::Recover(Phase::Validating)
        }
        Command::Start if phase != Phase::Cancelled => Effect::Nothing,
        Command::Pause if phase == Phase::Paused => Effect::Nothing,
        Command::Pause if phase.may_pause() => Effect::Enter(Phase::Paused),
        Command::Resume if phase == Phase::Paused => Effect::Enter(record.underlying()),
        Command::Resume if phase == Phase::Failed && record.failed_while_paused => Effect::Recover(Phase::Paused),
        Command::Resume if phase == Phase::Failed => Effect::Recover(recovery(record.underlying())),
        Command::Resume if !phase.is_final() && phase != Phase::Expired => Effect::Nothing,
        Command::Commit(order) if phase == Phase::Ready => Effect::BeginCutover(order),
        Command::Commit(_)
            if matches!(phase, Phase::Draining | Phase::Verifying | Phase::Finalizing | Phase::Committed) =>
        {
            Effect::Nothing
        }
        Command::Cancel if phase == Phase::Cancelled => Effect::Nothing,
        Command::Cancel if phase.may_become(Phase::Cancelled) => Effect::Enter(Phase::Cancelled),
        Command::Extend if phase == Phase::Expired => Effect::Revive,
        Command::Extend if !phase.is_final() && record.expires_at_ms.is_some() => Effect::PutOff,
        Command::Verify { repair } if matches!(phase, Phase::CatchingUp | Phase::Ready) => {
            Effect::CompareAgain { repair }
        }
        Command::Verify { repair } if phase == Phase::Failed && record.underlying().is_revertible_cutover() => {
            if repair {
                Effect::RecoverAndRepair(recovery(record.underlying()))
            } else {
                Effect::CompareAgain { repair }
            }
        }
        Command::Start
        | Command::Pause
        | Command::Resume
        | Command::Commit(_)
        | Command::Cancel
        | Command::Extend
        | Command::Verify { .. } => Effect::Refuse,
    }
}

/// A cutover that failed before its point of no return is not taken up in the middle: writes may have begun again.
fn recovery(failed_in: Phase) -> Phase {
    match failed_in {
        Phase::Draining | Phase::Verifying | Phase::Ready => Phase::CatchingUp,
        Phase::Paused | Phase::Failed => Phase::Validating,
        phase => phase,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORDER: CommitOrder = CommitOrder { accept_missing_indexes: true, block_writes: false };
    const COMMIT: Command = Command::Commit(ORDER);

    fn record(phase: Phase, came_from: Option<Phase>) -> PhaseRecord {
        PhaseRecord { phase, came_from, ..PhaseRecord::created() }
    }

    #[test]
    fn the_end_is_put_off_while_a_timer_runs_and_taken_back_behind_it() {
        let timed = |phase| PhaseRecord { expires_at_ms: Some(1), ..record(phase, None) };
        assert_eq!(effect(Command::Extend, &timed(Phase::Ready)), Effect::PutOff);
        assert_eq!(effect(Command::Extend, &timed(Phase::Expired)), Effect::Revive);
        assert_eq!(effect(Command::Extend, &record(Phase::Copying, None)), Effect::Refuse);
        assert_eq!(effect(Command::Extend, &timed(Phase::Committed)), Effect::Refuse);
    }

    #[test]
    fn a_start_is_taken_once_and_may_be_said_again() {
        assert_eq!(effect(Command::Start, &record(Phase::Created, None)), Effect::Start);
        for phase in [Phase::Validating, Phase::Copying, Phase::Ready, Phase::Paused, Phase::Committed] {
            assert_eq!(effect(Command::Start, &record(phase, None)), Effect::Nothing, "{phase}");
        }
        let refused = record(Phase::Failed, Some(Phase::Validating));
        assert_eq!(effect(Command::Start, &refused), Effect::Recover(Phase::Validating));
        assert_eq!(effect(Command::Start, &record(Phase::Cancelled, None)), Effect::Refuse);
        // It does not say what becomes of a migration that does not run.
        assert_eq!(effect(Command::Resume, &record(Phase::Created, None)), Effect::Nothing);
    }

    #[test]
    fn commit_only_when_ready_and_twice_is_one() {
        assert_eq!(effect(COMMIT, &record(Phase::Ready, None)), Effect::BeginCutover(ORDER));
        for phase in [Phase::Draining, Phase::Verifying, Phase::Finalizing, Phase::Committed] {
            assert_eq!(effect(COMMIT, &record(phase, None)), Effect::Nothing, "{phase}");
        }
        for phase in [Phase::Copying, Phase::CatchingUp, Phase::Paused, Phase::Failed, Phase::Cancelled] {
            assert_eq!(effect(COMMIT, &record(phase, None)), Effect::Refuse, "{phase}");
        }
    }

    #[test]
    fn pause_and_resume_come_back_to_where_they_were() {
        assert_eq!(effect(Command::Pause, &record(Phase::Copying, None)), Effect::Enter(Phase::Paused));
        assert_eq!(effect(Command::Pause, &record(Phase::Draining, None)), Effect::Refuse);
        let paused = record(Phase::Paused, Some(Phase::Copying));
        assert_eq!(effect(Command::Resume, &paused), Effect::Enter(Phase::Copying));
        assert_eq!(effect(Command::Pause, &paused), Effect::Nothing);
    }

    #[test]
    fn a_failed_cutover_is_not_taken_up_in_the_middle() {
        let failed = |from| record(Phase::Failed, Some(from));
        assert_eq!(effect(Command::Resume, &failed(Phase::Verifying)), Effect::Recover(Phase::CatchingUp));
        assert_eq!(effect(Command::Resume, &failed(Phase::Copying)), Effect::Recover(Phase::Copying));
        assert_eq!(effect(Command::Resume, &failed(Phase::Finalizing)), Effect::Recover(Phase::Finalizing));
    }

    #[test]
    fn what_failed_during_a_pause_is_paused_again() {
        let paused = record(Phase::Paused, Some(Phase::Copying));
        let failed = paused.entering(Phase::Failed).expect("a pause may fail");
        assert_eq!(effect(Command::Resume, &failed), Effect::Recover(Phase::Paused));
        let again = failed.entering(Phase::Paused).expect("it rests again");
        assert_eq!(effect(Command::Resume, &again), Effect::Enter(Phase::Copying));
        let copying = again.entering(Phase::Copying).and_then(|copying| copying.entering(Phase::Failed));
        assert_eq!(effect(Command::Resume, &copying.expect("it may fail")), Effect::Recover(Phase::Copying));
    }

    #[test]
    fn what_differs_is_repaired_while_the_applier_is_at_work() {
        let verify = |repair| Command::Verify { repair };
        for phase in [Phase::CatchingUp, Phase::Ready] {
            assert_eq!(effect(verify(true), &record(phase, None)), Effect::CompareAgain { repair: true }, "{phase}");
        }
        let failed = |from| record(Phase::Failed, Some(from));
        let recovers = Effect::RecoverAndRepair(Phase::CatchingUp);
        assert_eq!(effect(verify(true), &failed(Phase::Verifying)), recovers);
        assert_eq!(effect(verify(false), &failed(Phase::Verifying)), Effect::CompareAgain { repair: false });
        for failed_in in [Phase::Copying, Phase::Finalizing] {
            assert_eq!(effect(verify(true), &failed(failed_in)), Effect::Refuse, "{failed_in}");
        }
        for phase in [Phase::Copying, Phase::Paused, Phase::Draining, Phase::Verifying, Phase::Committed] {
            assert_eq!(effect(verify(false), &record(phase, None)), Effect::Refuse, "{phase}");
        }
    }

    #[test]
    fn cancel_until_the_point_of_no_return() {
        assert_eq!(effect(Command::Cancel, &record(Phase::Verifying, None)), Effect::Enter(Phase::Cancelled));
        assert_eq!(effect(Command::Cancel, &record(Phase::Finalizing, None)), Effect::Refuse);
        assert_eq!(effect(Command::Cancel, &record(Phase::Committed, None)), Effect::Refuse);
    }
}
