//! The indexer's part of the cutover, while the source is silent.

use mongoferry_bus::key;
use mongoferry_mongo::{Fenced, FinalizationOutcome, MongoError, prepare_finalization, revert_preparation};
use mongoferry_protocol::{Finalization, FinalizationStep};

use crate::{
    indexer::Indexer,
    indexer_error::{IndexerError, unless_no_longer_ours},
    take_work::Ended,
};

/// Does nothing if the record says that it is done. Each step is computed from what stands on both sides, so doing it
/// again does only what is left.
pub async fn finalize(
    indexer: &Indexer,
    cutover: u32,
    step: FinalizationStep,
    destination: Fenced<'_>,
) -> Result<Ended, IndexerError> {
    let records = indexer.stage.bus.records();
    let key = key::finalization(cutover, step);
    if records.get(&key).await?.is_some_and(|record| record.value.complete) {
        return Ok(Ended::Done);
    }
    indexer.stage.set_activity(match step {
        FinalizationStep::Prepare => "preparing unique indexes",
        FinalizationStep::Finalize => "finalizing indexes and views",
    });
    let outcome = mongoferry_stage::retry(&indexer.stage, "finalizing", || async {
        unless_no_longer_ours(run(indexer, step, destination).await)
    });
    // Asked behind the last change too: a cutover that is taken back from here on finds all of it when it undoes.
    let Some(outcome) = outcome.await? else { return Ok(Ended::NoLongerOurs) };
    if !destination.is_still_ours().await {
        return Ok(Ended::NoLongerOurs);
    }
    for problem in &outcome.problems {
        tracing::warn!(problem, "not as on the source");
    }
    for index in &outcome.unbuilt {
        tracing::warn!(namespace = %index.namespace, index = index.name, reason = index.reason, "index not built");
    }
    tracing::info!(?step, cutover, done = outcome.done.len(), "finalization step done");
    let FinalizationOutcome { done, problems, unbuilt } = outcome;
    let record = Finalization { cutover, step, complete: true, done, problems, unbuilt };
    records.put(&key, &record).await?;
    Ok(Ended::Done)
}

async fn run(
    indexer: &Indexer,
    step: FinalizationStep,
    destination: Fenced<'_>,
) -> Result<FinalizationOutcome, MongoError> {
    match step {
        FinalizationStep::Prepare => prepare_finalization(&indexer.source, destination).await,
        FinalizationStep::Finalize => mongoferry_mongo::finalize(&indexer.source, destination).await,
    }
}

/// Undoes a preparation that a cutover was taken back under: the coordinator undid what stood then, but a command under way, or one
/// sent before the indexer saw the phase change, may have come behind that.
pub async fn take_back(indexer: &Indexer, destination: Fenced<'_>) -> Result<Ended, IndexerError> {
    indexer.stage.set_activity("taking back what was prepared");
    let undone = mongoferry_stage::retry(&indexer.stage, "taking back", || async {
        unless_no_longer_ours(revert_preparation(&indexer.source, destination).await)
    });
    let Some(undone) = undone.await? else { return Ok(Ended::NoLongerOurs) };
    tracing::info!(undone = undone.len(), "a preparation that came to nothing is taken back");
    Ok(Ended::Done)
}
