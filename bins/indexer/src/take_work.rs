//! The indexer's loop: take an item if the phase is right for it, do it, record it, be done with it.
//!
//! An item stays in the queue until it is done. One whose cutover was taken back meanwhile is done by undoing it, whoever had it
//! in hand before: what that one did late is undone too.

use std::time::Duration;

use mongoferry_bus::{WorkQueue, WorkTicket, key};
use mongoferry_mongo::{Asking, Fenced};
use mongoferry_protocol::{FinalizationStep, Phase, Queue, WorkItem};
use mongoferry_stage::{Stage, StageResult};
use tokio::task::JoinSet;

use crate::{
    Args,
    build_collection::build_collection,
    finalize::{finalize, take_back},
    indexer::Indexer,
    indexer_error::IndexerError,
    metrics,
};

const LOOK_AGAIN: Duration = Duration::from_secs(1);

pub async fn take_work(stage: Stage, args: Args) -> StageResult {
    metrics::describe();
    let builds = args.builds.get();
    let indexer = Indexer::connect(stage, args).await?;
    let queue = indexer.stage.bus.work_queue(Queue::Indexer).await?;
    indexer.stage.ready.cancel();
    let outcome = indexer.work(&queue, builds).await;
    indexer.source.shutdown().await;
    indexer.destination.shutdown().await;
    Ok(outcome?)
}

impl Indexer {
    /// At most `at_once` items at a time, until the process is to end or one fails.
    async fn work(&self, queue: &WorkQueue, at_once: usize) -> Result<(), IndexerError> {
        let mut items: JoinSet<Result<(), IndexerError>> = JoinSet::new();
        self.stage.set_activity("waiting for a collection to be copied");
        loop {
            let take = mongoferry_stage::retry(&self.stage, "taking work", || queue.take());
            tokio::select! {
                () = self.stage.stopping.cancelled() => break,
                Some(ended) = items.join_next() => ended.expect("an item does not panic")?,
                taken = take, if items.len() < at_once => {
                    if let Some(ticket) = taken? {
                        let indexer = self.clone();
                        items.spawn(async move { indexer.do_item(ticket).await });
                    }
                }
            }
        }
        // Builds go on on the server; the items are taken again by whoever comes next.
        items.shutdown().await;
        Ok(())
    }

    async fn do_item(&self, ticket: WorkTicket) -> Result<(), IndexerError> {
        let begun_as = self.timeliness(&ticket.item).await?;
        let still_ours = || -> Asking<'_> { Box::pin(self.is_still(&ticket, begun_as)) };
        let destination = Fenced::new(&self.destination, &still_ours);
        let ended = match (begun_as, ticket.item.clone()) {
            (Timeliness::NotNow, _) => return Ok(ticket.give_back(LOOK_AGAIN).await?),
            (Timeliness::Over, _) => return Ok(ticket.finish().await?),
            (Timeliness::TakenBack, _) => take_back(self, destination).await?,
            (Timeliness::Now, WorkItem::BuildIndexes { collection }) => {
                build_collection(self, collection, destination).await?
            }
            (Timeliness::Now, WorkItem::FinalizeIndexes { cutover, step }) => {
                finalize(self, cutover, step, destination).await?
            }
            (
                Timeliness::Now,
                WorkItem::PlanCollection { .. }
                | WorkItem::CopyRange { .. }
                | WorkItem::Verify { .. }
                | WorkItem::CompareAgain { .. },
            ) => Ended::Done,
        };
        self.stage.set_activity("waiting for work");
        match ended {
            Ended::Done => Ok(ticket.finish().await?),
            Ended::NoLongerOurs if ticket.still_held() => Ok(ticket.give_back(LOOK_AGAIN).await?),
            Ended::NoLongerOurs => {
                tracing::warn!("an item is no longer ours: another has it by now");
                Ok(())
            }
        }
    }

    /// Asked right before each change. The phase is read first: the hold is what tells whether this process slept meanwhile.
    async fn is_still(&self, ticket: &WorkTicket, begun_as: Timeliness) -> bool {
        let timeliness = self.timeliness(&ticket.item).await;
        timeliness.is_ok_and(|timeliness| timeliness == begun_as) && ticket.still_held()
    }

    async fn timeliness(&self, item: &WorkItem) -> Result<Timeliness, IndexerError> {
        let Some(phase) = self.stage.bus.records().get(&key::phase()).await? else { return Ok(Timeliness::NotNow) };
        let cutover = phase.value.cutover.as_ref().map(|cutover| cutover.number);
        Ok(timeliness(item, phase.value.phase, cutover))
    }
}

/// How the work on an item ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    Done,
    /// Another has it, or the phase has changed: nothing more was done.
    NoLongerOurs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Timeliness {
    Now,
    /// A pause, or another process's view of the phase is ahead of ours.
    NotNow,
    /// Belongs to a cutover that was taken back: what was done of it is to be undone, for changes are applied again.
    TakenBack,
    /// Is of no use any more.
    Over,
}

/// Whether an item is to be done in this phase. Pure.
fn timeliness(item: &WorkItem, phase: Phase, cutover: Option<u32>) -> Timeliness {
    match item {
        WorkItem::BuildIndexes { .. } => match phase {
            Phase::Copying => Timeliness::Now,
            Phase::Paused | Phase::Failed => Timeliness::NotNow,
            _ => Timeliness::Over,
        },
        WorkItem::FinalizeIndexes { cutover: of, step: FinalizationStep::Prepare } => match phase {
            Phase::Verifying if Some(*of) == cutover => Timeliness::Now,
            phase if phase.applies() => Timeliness::TakenBack,
            Phase::Paused | Phase::Failed | Phase::Expired => Timeliness::NotNow,
            _ => Timeliness::Over,
        },
        WorkItem::FinalizeIndexes { cutover: of, step: FinalizationStep::Finalize } => match phase {
            _ if Some(*of) != cutover => Timeliness::Over,
            Phase::Finalizing => Timeliness::Now,
            Phase::Failed => Timeliness::NotNow,
            _ => Timeliness::Over,
        },
        WorkItem::PlanCollection { .. }
        | WorkItem::CopyRange { .. }
        | WorkItem::Verify { .. }
        | WorkItem::CompareAgain { .. } => Timeliness::Over,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mongoferry_protocol::CollectionUuid;

    #[test]
    fn items_by_phase() {
        let build = WorkItem::BuildIndexes { collection: CollectionUuid::from_bytes([0; 16]) };
        let prepare = WorkItem::FinalizeIndexes { cutover: 2, step: FinalizationStep::Prepare };
        let finalize = WorkItem::FinalizeIndexes { cutover: 2, step: FinalizationStep::Finalize };
        for (item, phase, cutover, expected) in [
            (&build, Phase::Copying, None, Timeliness::Now),
            (&build, Phase::Paused, None, Timeliness::NotNow),
            (&build, Phase::CatchingUp, None, Timeliness::Over),
            (&prepare, Phase::Verifying, Some(2), Timeliness::Now),
            (&prepare, Phase::Verifying, Some(3), Timeliness::Over),
            (&prepare, Phase::CatchingUp, Some(2), Timeliness::TakenBack),
            (&prepare, Phase::Draining, Some(3), Timeliness::TakenBack),
            (&prepare, Phase::Paused, Some(2), Timeliness::NotNow),
            (&prepare, Phase::Failed, Some(2), Timeliness::NotNow),
            (&prepare, Phase::Finalizing, Some(2), Timeliness::Over),
            (&prepare, Phase::Committed, Some(2), Timeliness::Over),
            (&finalize, Phase::Finalizing, Some(2), Timeliness::Now),
            (&finalize, Phase::Verifying, Some(2), Timeliness::Over),
            (&finalize, Phase::Failed, Some(2), Timeliness::NotNow),
        ] {
            assert_eq!(timeliness(item, phase, cutover), expected, "{item:?} {phase}");
        }
    }
}
