//! The verifier's loop: take an item, compare, store the verdict, be done with the item.

use std::time::Duration;

use mongoferry_bus::{WorkTicket, key};
use mongoferry_mongo::Cluster;
use mongoferry_protocol::{Party, Queue, VerificationState, WorkItem};
use mongoferry_stage::{Stage, StageResult};

use crate::{
    VerifierArgs, VerifierError,
    ahead::{Ahead, verify_ahead},
    compare_again::compare_again,
    decide::{Step, decide},
    metrics,
    verify::{Clusters, Order, is_finished, verify},
};

/// Collections compared at the same time while users write to the source.
const AHEAD_AT_ONCE: usize = 2;
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Works until the process is to end.
pub async fn take_work(stage: Stage, args: VerifierArgs) -> StageResult {
    metrics::describe();
    let (source, destination) = (args.source.uri()?, args.destination.uri()?);
    let (source, destination) = tokio::try_join!(
        Cluster::connect(source.reveal(), "mongoferry-verifier"),
        Cluster::connect(destination.reveal(), "mongoferry-verifier"),
    )?;
    stage.works_with(Party::Source, source.reachability());
    stage.works_with(Party::Destination, destination.reachability());
    let clusters = Clusters { source, destination };
    let queue = stage.bus.work_queue(Queue::Verifier).await?;
    stage.ready.cancel();
    // What was verified ahead is in the memory of the one that did.
    let Some(lease) = stage.lease().await? else { return Ok(()) };
    let (ahead, task) = verify_ahead(&stage, &clusters, AHEAD_AT_ONCE);
    let mut outcome = Ok(());
    while outcome.is_ok() && !stage.stopping.is_cancelled() {
        stage.set_activity("waiting for the cutover");
        let taken = tokio::select! {
            () = stage.stopping.cancelled() => break,
            lost = lease.lost() => Err(lost),
            taken = mongoferry_stage::retry(&stage, "taking work", || queue.take()) => taken,
        };
        outcome = match taken {
            // One that was suspended may have been given an item before it knows that another has taken over.
            Ok(Some(ticket)) => match lease.check() {
                Ok(()) => do_item(&stage, &clusters, &ahead, ticket, args.collections.get()).await,
                Err(lost) => Err(lost.into()),
            },
            Ok(None) => Ok(()),
            Err(error) => Err(error.into()),
        };
    }
    drop(task);
    lease.release().await?;
    clusters.source.shutdown().await;
    clusters.destination.shutdown().await;
    Ok(outcome?)
}

async fn do_item(
    stage: &Stage,
    clusters: &Clusters,
    ahead: &Ahead,
    ticket: WorkTicket,
    at_once: usize,
) -> Result<(), VerifierError> {
    let (cutover, metadata) = match ticket.item {
        WorkItem::Verify { cutover, metadata } => (cutover, metadata),
        WorkItem::CompareAgain { number } => {
            if compare_again(stage, clusters, ahead, &ticket, number).await? {
                ticket.finish().await?;
            } else {
                ticket.give_back(LOOK_AGAIN).await?;
            }
            return Ok(());
        }
        _ => {
            tracing::warn!(item = ticket.item.id(), "an item of another role was in the verifier's queue");
            return Ok(ticket.finish().await?);
        }
    };
    let records = stage.bus.records();
    let finished = records.get(&key::verification(cutover, metadata)).await?;
    let finished = finished.is_some_and(|record| is_finished(&record.value));
    let phase = records.get(&key::phase()).await?;
    match decide(cutover, metadata, finished, phase.as_ref().map(|record| &record.value)) {
        Step::Drop => Ok(ticket.finish().await?),
        Step::Wait => Ok(ticket.give_back(LOOK_AGAIN).await?),
        Step::Compare(silent_from) => {
            tracing::info!(cutover, metadata, "comparing");
            let order = Order { cutover, metadata, silent_from, at_once };
            match verify(stage, clusters, ahead, &ticket, &order).await? {
                None => Ok(ticket.give_back(LOOK_AGAIN).await?),
                Some(verdict) => {
                    let equal = verdict.state == VerificationState::Equal;
                    tracing::info!(cutover, metadata, equal, differences = verdict.difference_count, "verified");
                    Ok(ticket.finish().await?)
                }
            }
        }
    }
}
