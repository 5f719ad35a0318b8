//! What an operator may ask for, and what it does to the phase.

use mongoferry_bus::key;
use mongoferry_protocol::{CutoverRecord, Phase, PhaseRecord, now_ms};
use tokio::sync::oneshot;

use crate::{coordinate::Coordinator, coordinator_error::CoordinatorError, facts::failures};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    Pause,
    Resume,
    Commit,
    Cancel,
}

/// A command on its way from the API to the loop, with the way back for the answer.
pub struct Request {
    pub command: Command,
    pub answer: oneshot::Sender<Result<(), CoordinatorError>>,
}

impl Command {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Commit => "commit",
            Self::Cancel => "cancel",
        }
    }
}

/// What a command leads to. Pure. Every command is safe to repeat: what is so already is no error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    Nothing,
    Enter(Phase),
    BeginCutover,
    /// Forget what has failed and go on here.
    Recover(Phase),
    Refuse,
}

pub fn effect(command: Command, record: &PhaseRecord) -> Effect {
    let phase = record.phase;
    match command {
        Command::Pause if phase == Phase::Paused => Effect::Nothing,
        Command::Pause if phase.may_pause() => Effect::Enter(Phase::Paused),
        Command::Resume if phase == Phase::Paused => Effect::Enter(record.underlying()),
        Command::Resume if phase == Phase::Failed => Effect::Recover(recovery(record.underlying())),
        Command::Resume if !phase.is_final() && phase != Phase::Expired => Effect::Nothing,
        Command::Commit if phase == Phase::Ready => Effect::BeginCutover,
        Command::Commit
            if matches!(phase, Phase::Draining | Phase::Verifying | Phase::Finalizing | Phase::Committed) =>
        {
            Effect::Nothing
        }
        Command::Cancel if phase == Phase::Cancelled => Effect::Nothing,
        Command::Cancel if phase.may_become(Phase::Cancelled) => Effect::Enter(Phase::Cancelled),
        Command::Pause | Command::Resume | Command::Commit | Command::Cancel => Effect::Refuse,
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

impl Coordinator {
    pub async fn carry_out(&mut self, command: Command) -> Result<(), CoordinatorError> {
        let phase = self.phase.phase();
        match effect(command, self.phase.record()) {
            Effect::Nothing => Ok(()),
            Effect::Enter(Phase::Cancelled) => self.cancel().await,
            Effect::Enter(next) => self.phase.enter(next, |_| ()).await,
            Effect::BeginCutover => self.begin_cutover().await,
            Effect::Recover(next) => self.recover(next).await,
            Effect::Refuse => Err(CoordinatorError::NotNow { command: command.as_str(), phase }),
        }
    }

    /// The operator says that writes have ended: from here on the write downtime is measured.
    pub async fn begin_cutover(&mut self) -> Result<(), CoordinatorError> {
        let number = self.phase.record().cutover.as_ref().map_or(0, |cutover| cutover.number) + 1;
        let cutover = CutoverRecord {
            number,
            requested_at_ms: now_ms(),
            silent_from: None,
            drained_at_ms: None,
            committed_at_ms: None,
        };
        let begin = |record: &mut PhaseRecord| {
            record.cutover = Some(cutover);
            record.reverted = None;
        };
        self.phase.enter(Phase::Draining, begin).await
    }

    /// Goes on after a failure: what was reported is forgotten, and a step past the point of no return is done again.
    pub async fn recover(&mut self, next: Phase) -> Result<(), CoordinatorError> {
        let records = self.stage.bus.records().clone();
        for failure in failures(&self.view.mirror)? {
            records.remove(&key::failure(failure.role, &failure.instance)).await?;
        }
        if next == Phase::Validating {
            records.remove(&key::validation()).await?;
        }
        if let (Phase::Finalizing, Some(cutover)) = (next, &self.phase.record().cutover) {
            let number = cutover.number;
            records.remove(&key::finalization(number, mongoferry_protocol::FinalizationStep::Finalize)).await?;
            records.remove(&key::verification(number, true)).await?;
        }
        self.queued.clear();
        self.phase.enter(next, |_| ()).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(phase: Phase, came_from: Option<Phase>) -> PhaseRecord {
        PhaseRecord { phase, came_from, ..PhaseRecord::created() }
    }

    #[test]
    fn commit_only_when_ready_and_twice_is_one() {
        assert_eq!(effect(Command::Commit, &record(Phase::Ready, None)), Effect::BeginCutover);
        for phase in [Phase::Draining, Phase::Verifying, Phase::Finalizing, Phase::Committed] {
            assert_eq!(effect(Command::Commit, &record(phase, None)), Effect::Nothing, "{phase}");
        }
        for phase in [Phase::Copying, Phase::CatchingUp, Phase::Paused, Phase::Failed, Phase::Cancelled] {
            assert_eq!(effect(Command::Commit, &record(phase, None)), Effect::Refuse, "{phase}");
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
    fn cancel_until_the_point_of_no_return() {
        assert_eq!(effect(Command::Cancel, &record(Phase::Verifying, None)), Effect::Enter(Phase::Cancelled));
        assert_eq!(effect(Command::Cancel, &record(Phase::Finalizing, None)), Effect::Refuse);
        assert_eq!(effect(Command::Cancel, &record(Phase::Committed, None)), Effect::Refuse);
    }
}
