//! Carries out what an operator asks for.

use mongoferry_bus::key;
use mongoferry_mongo::expiring_collections;
use mongoferry_protocol::{CutoverMode, CutoverRecord, IndexView, Phase, PhaseRecord, now_ms};

use crate::{
    command::{Command, CommitOrder, Effect, effect},
    coordinate::Coordinator,
    coordinator_error::CoordinatorError,
    copy_progress::CopyProgress,
    facts::failures,
    validation_jobs::{errors_of, is_recent},
};

impl Coordinator {
    pub async fn carry_out(&mut self, command: Command) -> Result<(), CoordinatorError> {
        let phase = self.phase.phase();
        match effect(command, self.phase.record()) {
            Effect::Nothing => Ok(()),
            Effect::Start => self.start().await,
            Effect::Enter(Phase::Cancelled) => self.cancel().await,
            Effect::Enter(next) => self.phase.enter(next, |_| ()).await,
            Effect::BeginCutover(_) if self.settings.cutover == CutoverMode::Rehearse => {
                Err(CoordinatorError::OnlyRehearsed)
            }
            Effect::BeginCutover(order) => {
                self.refuse_missing_indexes(order.accept_missing_indexes)?;
                if order.block_writes {
                    self.refuse_if_writes_can_not_be_blocked().await?;
                }
                self.begin_cutover(order).await
            }
            Effect::Recover(next) => self.recover(next).await,
            Effect::PutOff => self.put_off().await,
            Effect::Revive => self.revive().await,
            Effect::CompareAgain { repair } => self.compare_again(repair).await,
            Effect::RecoverAndRepair(next) => {
                self.recover(next).await?;
                self.compare_again(true).await
            }
            Effect::Refuse => Err(CoordinatorError::NotNow { command: command.as_str(), phase }),
        }
    }

    /// The change of the phase is the record of it.
    async fn start(&mut self) -> Result<(), CoordinatorError> {
        let report = self.view.mirror.get(&key::validation())?;
        match report.filter(|report| is_recent(report, now_ms())) {
            Some(report) if !report.passed() => Err(CoordinatorError::Validation { summary: errors_of(&report) }),
            _ => self.phase.enter(Phase::Validating, |_| ()).await,
        }
    }

    /// Before anything is begun: the operator has to know what the destination will be without.
    fn refuse_missing_indexes(&self, accepted: bool) -> Result<(), CoordinatorError> {
        if accepted || self.accept_missing_indexes || self.copy.failed_indexes().next().is_none() {
            return Ok(());
        }
        Err(CoordinatorError::MissingIndexes { summary: missing_indexes(&self.copy) })
    }

    /// The operator says that writes have ended, or has them blocked: from here on the write downtime is measured.
    pub async fn begin_cutover(&mut self, order: CommitOrder) -> Result<(), CoordinatorError> {
        let number = self.phase.record().cutover.as_ref().map_or(0, |cutover| cutover.number) + 1;
        let requested_at_ms = now_ms();
        let cutover = CutoverRecord {
            number,
            requested_at_ms,
            silent_from: None,
            drained_at_ms: None,
            committed_at_ms: None,
            accept_missing_indexes: order.accept_missing_indexes,
            accept_source_writes: false,
            block_writes: order.block_writes,
            blocked_at_ms: None,
            confirmed_from: None,
            // Before the note: what expires behind it is to be known from the first moment.
            expiring: expiring_collections(&self.source).await?,
            predicted_ms: self.status.borrow().predicted_downtime_ms,
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
            self.until_not_validated().await?;
        }
        if let (Phase::Finalizing, Some(cutover)) = (next, &self.phase.record().cutover) {
            let number = cutover.number;
            records.remove(&key::finalization(number, mongoferry_protocol::FinalizationStep::Finalize)).await?;
            records.remove(&key::verification(number, true)).await?;
        }
        self.queued.clear();
        let accept = next == Phase::Finalizing && self.accept_source_writes;
        let accepting = |record: &mut PhaseRecord| {
            record.cutover.iter_mut().for_each(|cutover| cutover.accept_source_writes |= accept);
        };
        self.phase.enter(next, accepting).await
    }
}

impl Coordinator {
    /// What was removed is decided upon no more; the mirror follows within moments.
    async fn until_not_validated(&mut self) -> Result<(), CoordinatorError> {
        while self.view.mirror.get(&key::validation())?.is_some() {
            self.view.mirror.changed().await;
        }
        Ok(())
    }
}

/// One clause per index that could not be built.
pub fn missing_indexes(copy: &CopyProgress) -> String {
    let clause = |index: &IndexView| {
        let reason = index.reason.as_deref().unwrap_or("for an unknown reason");
        format!("{} of {}: {reason}", index.name, index.namespace)
    };
    copy.failed_indexes().map(clause).collect::<Vec<_>>().join("; ")
}
