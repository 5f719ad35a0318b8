//! The copier's loop: take an item while the phase is copying, do it, be done with it.

use std::time::Duration;

use mongoferry_bus::{WorkTicket, key};
use mongoferry_protocol::{Phase, Queue, StartPoint, WorkItem};
use mongoferry_stage::{Stage, StageResult};

use crate::{
    Args, copier::Copier, copier_error::CopierError, copy_range::copy_range, metrics, plan_collection::plan_collection,
};

const LOOK_AGAIN: Duration = Duration::from_secs(1);

pub async fn take_work(stage: Stage, args: Args) -> StageResult {
    metrics::describe();
    let copier = Copier::connect(stage, args).await?;
    copier.stage.ready.cancel();
    let outcome = copier.work().await;
    copier.source.shutdown().await;
    copier.destination.shutdown().await;
    Ok(outcome?)
}

impl Copier {
    async fn work(&self) -> Result<(), CopierError> {
        let queue = self.stage.bus.work_queue(Queue::Copier).await?;
        let mut phases = self.stage.phases.clone();
        while !self.stage.stopping.is_cancelled() {
            self.stage.set_activity("waiting for a range");
            let take = async {
                phases.wait_for(|record| record.phase == Phase::Copying).await;
                self.throttle.admitted().await;
                mongoferry_stage::retry(&self.stage, "taking work", || queue.take()).await
            };
            tokio::select! {
                () = self.stage.stopping.cancelled() => {}
                taken = take => if let Some(ticket) = taken? {
                    self.do_item(ticket).await?;
                }
            }
        }
        Ok(())
    }

    async fn do_item(&self, ticket: WorkTicket) -> Result<(), CopierError> {
        let start_point = self.stage.bus.records().get(&key::start_point()).await?;
        let Some(start_point) = start_point else { return Ok(ticket.give_back(LOOK_AGAIN).await?) };
        match self.outcome_of(&ticket, start_point.value).await {
            Ok(()) => Ok(ticket.finish().await?),
            Err(error @ (CopierError::RangeLost { .. } | CopierError::Interrupted { .. })) => {
                tracing::info!(item = ticket.item.id(), %error, "given back");
                Ok(ticket.give_back(Duration::ZERO).await?)
            }
            Err(error) => {
                // Somebody else may fare better; and if this process ends with the error, nobody has to wait.
                ticket.give_back(LOOK_AGAIN).await?;
                Err(error)
            }
        }
    }

    async fn outcome_of(&self, ticket: &WorkTicket, start_point: StartPoint) -> Result<(), CopierError> {
        match ticket.item {
            WorkItem::PlanCollection { collection } => plan_collection(self, ticket, collection).await,
            WorkItem::CopyRange { collection, number } => {
                copy_range(self, ticket, start_point.apply_after, collection, number).await
            }
            WorkItem::BuildIndexes { .. }
            | WorkItem::FinalizeIndexes { .. }
            | WorkItem::Verify { .. }
            | WorkItem::CompareAgain { .. } => Ok(()),
        }
    }
}
