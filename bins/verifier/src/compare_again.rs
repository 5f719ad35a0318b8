//! Compares again what is known to differ, when an operator asks for it; for a repair, the applier copies it again.
//!
//! ```text
//! known        the suspects of verifying ahead; collections that a cutover found different, or of which too much differed
//! settle       both sides of each document are read until they are equal, or as often as tells that they stay different
//! portions     what differs goes to the applier, who writes it in its own order, and is read again
//! ```
//!
//! Only the applier writes, so that no change that it applies meanwhile is overtaken or undone. Killed anywhere, it begins anew:
//! comparing and copying again change nothing where both sides are equal.
//!
//! Memory: at most [`known::AT_ONCE`] documents' `_id`s and hashes, and two parts of a collection as at the cutover.

mod known;
mod portions;
mod remarks;
mod settle;
mod tally;

use std::time::Duration;

use mongoferry_bus::{BusError, WorkTicket, key};
use mongoferry_protocol::{Phase, now_ms};
use mongoferry_stage::Stage;

use crate::{VerifierError, ahead::Ahead, compare_again::tally::Tally, verify::Clusters};

const REPORT: Duration = Duration::from_millis(500);

/// One order, and what it needs.
struct Run<'a> {
    stage: &'a Stage,
    clusters: &'a Clusters,
    ahead: &'a Ahead,
    tally: &'a Tally,
    repair: bool,
}

/// True once the result is stored, or the order is over for another reason; false if another process is to do it.
pub(crate) async fn compare_again(
    stage: &Stage,
    clusters: &Clusters,
    ahead: &Ahead,
    ticket: &WorkTicket,
    number: u32,
) -> Result<bool, VerifierError> {
    let order = stage.bus.records().get(&key::comparison()).await?.map(|order| order.value);
    let Some(order) = order.filter(|order| order.number == number && order.is_running()) else { return Ok(true) };
    tracing::info!(number, repair = order.repair, "comparing again what is known to differ");
    let repair = order.repair;
    let tally = Tally::of(order);
    let run = Run { stage, clusters, ahead, tally: &tally, repair };
    let mut phases = stage.phases.clone();
    tokio::select! {
        biased;
        () = stage.stopping.cancelled() => return Ok(false),
        record = phases.wait_for(|record| !is_time(record.phase, repair)) => tally.stop(remarks::not_now(record.phase)),
        superseded = report(stage, ticket, &tally) => return superseded,
        compared = mongoferry_stage::retry(stage, "comparing again", || run.all()) => match compared {
            Ok(()) => tally.finish(),
            // Whatever it is, the migration itself need not end of it.
            Err(error @ VerifierError::Bus(_)) => return Err(error),
            Err(error) => tally.stop(remarks::failed(&error)),
        },
    }
    if ahead.is_begun() {
        let known = ahead.state().record();
        stage.bus.records().put(&key::verified_ahead(), &known).await?;
    }
    let mut result = tally.record();
    result.finished_at_ms = now_ms();
    tracing::info!(number, repaired = result.repaired, left = result.differing_count, "compared again");
    mongoferry_stage::retry(stage, "storing what was compared", || store(stage, &result)).await?;
    Ok(true)
}

/// The applier is at work; without a repair it need not be.
fn is_time(phase: Phase, repair: bool) -> bool {
    matches!(phase, Phase::CatchingUp | Phase::Ready) || (phase == Phase::Failed && !repair)
}

/// Stores how far it is, until another order takes its place (true) or the item may have gone to another process (false).
async fn report(stage: &Stage, ticket: &WorkTicket, tally: &Tally) -> Result<bool, VerifierError> {
    while ticket.still_held() {
        let record = tally.record();
        stage
            .set_activity(format!("comparing again: {} documents, {} copied again", record.looked_at, record.repaired));
        match store(stage, &record).await {
            Ok(true) => {}
            Ok(false) => return Ok(true),
            Err(error) => tracing::debug!(%error, "the progress was not stored; the next one follows"),
        }
        tokio::time::sleep(REPORT).await;
    }
    Ok(false)
}

/// False if there is another order by now.
async fn store(stage: &Stage, record: &mongoferry_protocol::Comparison) -> Result<bool, BusError> {
    let records = stage.bus.records();
    loop {
        let known = records.get(&key::comparison()).await?;
        let Some(known) = known.filter(|known| known.value.number == record.number) else { return Ok(false) };
        if records.update(&key::comparison(), record, known.revision).await?.is_some() {
            return Ok(true);
        }
    }
}
