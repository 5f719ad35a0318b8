//! Copies one range: batches from the source into inserts on the destination, untouched.

use std::sync::Mutex;

use bson::RawDocument;
use futures_util::{FutureExt, StreamExt, future::LocalBoxFuture, stream::FuturesOrdered};
use mongoferry_bus::{WorkTicket, key};
use mongoferry_mongo::{CopyBatch, Inserted, MongoError, RangeReader, RangeRequest, insert_raw_in_time, write_order};
use mongoferry_protocol::{CollectionPlan, CollectionUuid, CopyRange, Durable, Namespace, Optime, Phase, WriteOrder};
use tokio::time::{Instant, sleep_until, timeout};

use crate::{claim::Claim, copier::Copier, copier_error::CopierError, metrics};

/// Copies until the range is done and recorded so. Interrupted, it has recorded what is durable.
pub async fn copy_range(
    copier: &Copier,
    ticket: &WorkTicket,
    apply_after: Optime,
    collection: CollectionUuid,
    number: u32,
) -> Result<(), CopierError> {
    let (plan, range) = look_up(copier, collection, number).await?;
    let records = copier.stage.bus.records();
    let Some(claim) = Claim::take(records, ticket, &range, &copier.stage.instance).await? else { return Ok(()) };
    copier.stage.set_activity(format!("copying {} range {number}", plan.namespace));
    let claim = tokio::sync::Mutex::new(claim);
    let copied = mongoferry_stage::retry(&copier.stage, "copying a range", || async {
        let mut claim = claim.lock().await;
        let copied = copy_once(copier, &plan, &mut claim, apply_after).await;
        match copied {
            // The collection is gone: what was read of it is dropped by its own oplog entries.
            Ok(()) | Err(CopierError::Cluster(MongoError::CollectionGone { .. })) => claim.done().await,
            Err(error @ CopierError::RangeLost { .. }) => Err(error),
            Err(error) => claim.store().await.and(Err(error)),
        }
    });
    copied.await
}

async fn look_up(
    copier: &Copier,
    collection: CollectionUuid,
    number: u32,
) -> Result<(CollectionPlan, CopyRange), CopierError> {
    let records = copier.stage.bus.records();
    let no_plan = || CopierError::NoPlan { collection };
    let plan = records.get(&key::collection(collection)).await?.ok_or_else(no_plan)?.value;
    let ranges = records.get(&key::range_plan(collection)).await?.ok_or_else(no_plan)?.value;
    let range = ranges.ranges.into_iter().find(|range| range.number == number).ok_or_else(no_plan)?;
    Ok((plan, range))
}

type Written = (CopyBatch, Result<Durable<Inserted>, MongoError>);

/// Below, a range that is read in storage order is a few batches, and sooner copied again than asked where it stands.
const WORTH_RESUMING_BYTES: u64 = 8 * 1024 * 1024;

/// Reads from where the claim stands.
async fn copy_once(
    copier: &Copier,
    plan: &CollectionPlan,
    claim: &mut Claim<'_>,
    apply_after: Optime,
) -> Result<(), CopierError> {
    claim.begin_attempt();
    let resume = claim.progress.resume.clone();
    let request = RangeRequest {
        database: plan.namespace.database(),
        range: claim.range,
        resume: resume.as_deref().and_then(|bytes| RawDocument::from_bytes(bytes).ok()),
        resumable: resume.is_some() || plan.size_bytes > WORTH_RESUMING_BYTES,
        apply_after,
        average_document_bytes: plan.size_bytes.checked_div(plan.document_count).unwrap_or(0),
    };
    let reader = RangeReader::open(&copier.source, &request).await?;
    claim.begin_reading(reader.is_resumed());
    let mut in_flight = FuturesOrdered::new();
    let copied = hand_on(copier, plan, claim, reader, &mut in_flight).await;
    if copied.is_err() {
        // None of them counts behind the one that failed; but whoever gets the range next must not meet them under way. What has
        // no answer by then was ended by the server.
        let _ = timeout(claim.ticket.longest_command(), in_flight.count()).await;
    }
    copied
}

/// Inserts are in flight side by side, but counted in the order they were read, so that the resume point never passes a batch
/// that is not durable.
async fn hand_on<'a, 'claim: 'a>(
    copier: &'a Copier,
    plan: &CollectionPlan,
    claim: &mut Claim<'claim>,
    mut reader: RangeReader,
    in_flight: &mut FuturesOrdered<LocalBoxFuture<'a, Written>>,
) -> Result<(), CopierError> {
    let namespace = plan.namespace.before_cutover();
    let order = RawDocument::from_bytes(&plan.options).map(write_order).unwrap_or_default();
    let writers = if order == WriteOrder::Whole { 1 } else { copier.writers };
    let mut at_end = false;
    while !at_end || !in_flight.is_empty() {
        tokio::select! {
            Some(written) = in_flight.next() => count(claim, written).await?,
            () = copier.throttle.wait(), if !at_end && copier.throttle.holds() => {
                claim.gets_on();
                claim.store_if_due().await?;
                if must_rest(copier) {
                    finish(claim, in_flight).await?;
                    rest(copier, claim).await?;
                }
            }
            batch = reader.next(), if !at_end && in_flight.len() < writers && !copier.throttle.holds() => match batch {
                Err(error) => {
                    // What was read is written all the same, and nothing is under way when the range is read again.
                    finish(claim, in_flight).await?;
                    return Err(error.into());
                }
                Ok(None) => at_end = true,
                Ok(Some(batch)) => {
                    if must_rest(copier) {
                        finish(claim, in_flight).await?;
                        rest(copier, claim).await?;
                    }
                    claim.check()?;
                    copier.doubled_names.look(copier.stage.bus.records(), claim.range.collection, &batch).await?;
                    copier.throttle.spend(batch.document_count(), batch.bytes());
                    in_flight.push_back(write(copier, claim.ticket, namespace.clone(), order, batch).boxed_local());
                }
            },
        }
    }
    Ok(())
}

/// The server itself ends what it has not done by the time that somebody else may have the range. Where it could not tell whether it
/// does it, that time is waited for.
async fn write(
    copier: &Copier,
    ticket: &WorkTicket,
    namespace: Namespace,
    order: WriteOrder,
    batch: CopyBatch,
) -> Written {
    let began = Instant::now();
    let sent = Mutex::new(began);
    let time_left = || {
        *sent.lock().expect("no panic while it is locked") = Instant::now();
        Some(ticket.time_for_a_command())
    };
    let written = insert_raw_in_time(&copier.destination, &namespace, batch.array(), order, &time_left).await;
    match &written {
        Ok(written) => metrics::inserted(written.get(), batch.bytes(), began.elapsed()),
        Err(error) if error.leaves_open_what_became_of_it() => {
            let sent = *sent.lock().expect("no panic while it is locked");
            sleep_until(sent + ticket.longest_command()).await;
        }
        Err(_) => {}
    }
    (batch, written)
}

/// Waits for the writes under way and counts them.
async fn finish(
    claim: &mut Claim<'_>,
    in_flight: &mut FuturesOrdered<impl Future<Output = Written>>,
) -> Result<(), CopierError> {
    while let Some(written) = in_flight.next().await {
        count(claim, written).await?;
    }
    Ok(())
}

async fn count(claim: &mut Claim<'_>, (batch, written): Written) -> Result<(), CopierError> {
    claim.count(&batch, written?);
    claim.store_if_due().await
}

/// The phase is another one, or the process is to end.
fn must_rest(copier: &Copier) -> bool {
    let copying = copier.stage.phases.current().is_some_and(|record| record.phase == Phase::Copying);
    !copying || copier.stage.stopping.is_cancelled()
}

/// Holds the range through a pause, and gives it up if the process is to end or the copy is over.
async fn rest(copier: &Copier, claim: &mut Claim<'_>) -> Result<(), CopierError> {
    claim.store().await?;
    claim.rests();
    copier.stage.set_activity("paused");
    let mut phases = copier.stage.phases.clone();
    tokio::select! {
        _ = phases.wait_for(|record| record.phase != Phase::Paused) => {}
        () = copier.stage.stopping.cancelled() => {}
    }
    if must_rest(copier) {
        return Err(CopierError::Interrupted { collection: claim.range.collection, number: claim.range.number });
    }
    claim.gets_on();
    Ok(())
}
