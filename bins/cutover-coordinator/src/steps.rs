//! The steps that a decision can ask for, each idempotent.

mod claim_destination;
mod drop_overlap;
mod list_catalog;
mod undo_preparation;
mod write_blocks;
mod write_note;

use mongoferry_bus::key;
use mongoferry_protocol::{
    CollectionUuid, Failure, FinalizationStep, IndexProgress, Phase, PhaseRecord, Verification, WorkItem, now_ms,
};

use crate::{
    command::CommitOrder,
    coordinate::Coordinator,
    coordinator_error::CoordinatorError,
    decide::{Step, StopReason},
    tidy_destination,
    timer::start_timer,
    validation_jobs,
};

impl Coordinator {
    pub async fn perform(&mut self, step: Step) -> Result<(), CoordinatorError> {
        match step {
            Step::Wait => self.queue_again().await,
            Step::Enter(Phase::Starting) => match self.make_ready_for_copy().await {
                Err(
                    error @ (CoordinatorError::DestinationTaken { .. }
                    | CoordinatorError::DropUnconfirmed { .. }
                    | CoordinatorError::Replaced { .. }),
                ) => self.fail_with(&error).await,
                ready => {
                    ready?;
                    self.phase.enter(Phase::Starting, |_| ()).await
                }
            },
            Step::Enter(Phase::Ready) => self.phase.enter(Phase::Ready, start_timer).await,
            Step::Enter(next) => self.phase.enter(next, |_| ()).await,
            Step::Validate => Ok(validation_jobs::request(self.stage.bus.records()).await.map(drop)?),
            Step::ListCatalog => match self.list_catalog().await {
                Err(error @ CoordinatorError::NotMigratable { .. }) => self.fail_with(&error).await,
                listed => listed,
            },
            Step::QueueIndexes(collections) => self.queue_indexes(&collections).await,
            Step::BeginCutover => self.begin_cutover(CommitOrder::default()).await,
            Step::EndRehearsal => self.end_rehearsal().await,
            Step::BlockSource => self.block_source().await,
            Step::LiftSourceBlock => self.lift_source_block().await,
            Step::LiftDestinationBlock => self.lift_destination_block().await,
            Step::WriteNote => self.write_note().await,
            Step::DrainAgain => self.drain_again().await,
            Step::UndoPreparation => self.undo_preparation().await,
            Step::RecordDrained => self.record_drained().await,
            Step::Prepare(cutover) => self.queue_finalization(cutover, FinalizationStep::Prepare).await,
            Step::VerifyDocuments(cutover) => self.queue_once(WorkItem::Verify { cutover, metadata: false }).await,
            Step::AskForSilence => self.ask_for_silence().await,
            Step::Finalize(cutover) => self.queue_finalization(cutover, FinalizationStep::Finalize).await,
            Step::VerifyMetadata(cutover) => self.queue_once(WorkItem::Verify { cutover, metadata: true }).await,
            Step::Commit => self.commit().await,
            Step::Revert(reason) => self.revert(reason).await,
            Step::Fail(reason) => self.fail(reason).await,
        }
    }

    /// The first writes to the destination.
    async fn make_ready_for_copy(&mut self) -> Result<(), CoordinatorError> {
        self.claim_destination().await?;
        self.drop_overlap().await?;
        self.protect_destination().await
    }

    async fn queue_once(&mut self, item: WorkItem) -> Result<(), CoordinatorError> {
        if !self.queued.contains(&item) {
            self.stage.bus.queue_work(&item).await?;
            self.queued.insert(item);
        }
        Ok(())
    }

    async fn queue_finalization(&mut self, cutover: u32, step: FinalizationStep) -> Result<(), CoordinatorError> {
        self.queue_once(WorkItem::FinalizeIndexes { cutover, step }).await
    }

    /// A coordinator that was killed between recording the catalog and queueing it left collections without a plan.
    async fn queue_again(&mut self) -> Result<(), CoordinatorError> {
        if self.phase.phase() == Phase::Copying {
            for collection in self.copy.unplanned.clone() {
                self.queue_once(WorkItem::PlanCollection { collection }).await?;
            }
        }
        Ok(())
    }

    async fn queue_indexes(&mut self, collections: &[CollectionUuid]) -> Result<(), CoordinatorError> {
        for &collection in collections {
            self.queue_once(WorkItem::BuildIndexes { collection }).await?;
            self.stage.bus.records().create(&key::index(collection), &IndexProgress::default()).await?;
        }
        Ok(())
    }

    /// What was prepared would be in the way of the deletes; a later attempt compares anew.
    async fn drain_again(&mut self) -> Result<(), CoordinatorError> {
        tracing::info!("documents expired on the source meanwhile: what is left is applied once more");
        let forget = |record: &mut PhaseRecord, step: u32| {
            if let Some(cutover) = &mut record.cutover {
                cutover.number += step;
                (cutover.silent_from, cutover.drained_at_ms) = (None, None);
            }
        };
        if self.phase.phase() == Phase::Draining {
            return self.phase.change(|record| forget(record, 0)).await;
        }
        self.phase.enter(Phase::Draining, |record| forget(record, 1)).await
    }

    async fn record_drained(&mut self) -> Result<(), CoordinatorError> {
        let drained = |record: &mut PhaseRecord| {
            if let Some(cutover) = &mut record.cutover {
                cutover.drained_at_ms = Some(now_ms());
            }
        };
        self.phase.change(drained).await
    }

    async fn commit(&mut self) -> Result<(), CoordinatorError> {
        self.lift_destination_block().await?;
        let committed = |record: &mut PhaseRecord| {
            if let Some(cutover) = &mut record.cutover {
                cutover.committed_at_ms = Some(now_ms());
            }
        };
        self.phase.enter(Phase::Committed, committed).await?;
        self.tidy_after_end().await;
        Ok(())
    }

    async fn end_rehearsal(&mut self) -> Result<(), CoordinatorError> {
        self.lift_destination_block().await?;
        let parts = self.status.borrow().predicted_parts.clone();
        self.phase.enter(Phase::Rehearsed, |record| record.rehearsal = Some(parts)).await?;
        self.tidy_after_end().await;
        Ok(())
    }

    pub async fn cancel(&mut self) -> Result<(), CoordinatorError> {
        self.try_to_lift_source_block().await?;
        self.try_to_lift_destination_block().await?;
        self.phase.enter(Phase::Cancelled, |_| ()).await?;
        self.tidy_after_end().await;
        Ok(())
    }

    /// Takes mongoferry's own records off the destination. Nothing depends on it any more, so a failure is only said; the
    /// next start tries again.
    pub async fn tidy_after_end(&self) {
        if self.phase.phase().is_final()
            && self.lease.still_held()
            && let Err(error) = tidy_destination::remove_own_records(&self.destination, &self.settings).await
        {
            tracing::warn!(%error, "the database mongoferry still stands on the destination; drop it by hand");
        }
    }

    pub async fn revert(&mut self, reason: String) -> Result<(), CoordinatorError> {
        tracing::warn!(reason, "the cutover is taken back");
        // First, because users wait for it, and the destination may be away.
        self.lift_source_block().await?;
        self.phase.enter(Phase::CatchingUp, |record| record.reverted = Some(reason)).await
    }

    async fn fail(&mut self, reason: StopReason) -> Result<(), CoordinatorError> {
        let error = match reason {
            StopReason::Reported(failure) => return self.enter_failed(*failure).await,
            StopReason::Validation => CoordinatorError::Validation { summary: self.validation_summary()? },
            StopReason::DocumentsDiffer => CoordinatorError::Different { summary: self.difference_summary(false)? },
            StopReason::MetadataDiffers => {
                CoordinatorError::MetadataDifferent { summary: self.difference_summary(true)? }
            }
            StopReason::SourceWrittenTo(change) => CoordinatorError::SourceWrittenTo { change },
            StopReason::Finalization(problems) => CoordinatorError::Finalization { summary: problems.join("; ") },
        };
        self.fail_with(&error).await
    }

    async fn fail_with(&mut self, error: &CoordinatorError) -> Result<(), CoordinatorError> {
        self.enter_failed(Failure::of(self.stage.role, &self.stage.instance, error)).await
    }

    async fn enter_failed(&mut self, failure: Failure) -> Result<(), CoordinatorError> {
        tracing::error!(code = failure.code, "{}", mongoferry_stage::failure_text(&failure));
        if self.phase.phase().is_revertible_cutover() {
            self.try_to_lift_source_block().await?;
        }
        self.phase.enter(Phase::Failed, |record| record.failure = Some(failure)).await
    }

    fn validation_summary(&self) -> Result<String, CoordinatorError> {
        let report = self.view.mirror.get(&key::validation())?.unwrap_or_default();
        Ok(validation_jobs::errors_of(&report))
    }

    fn difference_summary(&self, metadata: bool) -> Result<String, CoordinatorError> {
        let cutover = self.phase.record().cutover.as_ref().map_or(0, |cutover| cutover.number);
        let found: Option<Verification> = self.view.mirror.get(&key::verification(cutover, metadata))?;
        let Some(found) = found else { return Ok("the verifier's record is gone".into()) };
        let first = found.differences.first().map(|first| format!("; the first: {} {}", first.namespace, first.detail));
        Ok(format!("{} differences{}", found.difference_count, first.unwrap_or_default()))
    }
}
