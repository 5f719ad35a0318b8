//! The indexer's part of the cutover, while the source is silent.

use mongoferry_bus::key;
use mongoferry_mongo::{FinalizationOutcome, MongoError, prepare_finalization};
use mongoferry_protocol::{Finalization, FinalizationStep};

use crate::{indexer::Indexer, indexer_error::IndexerError};

/// Does nothing if the record says that it is done. Each step is computed from what stands on both sides, so doing it
/// again does only what is left.
pub async fn finalize(indexer: &Indexer, cutover: u32, step: FinalizationStep) -> Result<(), IndexerError> {
    let records = indexer.stage.bus.records();
    let key = key::finalization(cutover, step);
    if records.get(&key).await?.is_some_and(|record| record.value.complete) {
        return Ok(());
    }
    indexer.stage.set_activity(match step {
        FinalizationStep::Prepare => "preparing unique indexes",
        FinalizationStep::Finalize => "finalizing indexes and views",
    });
    let outcome = mongoferry_stage::retry(&indexer.stage, "finalizing", || run(indexer, step)).await?;
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
    Ok(())
}

async fn run(indexer: &Indexer, step: FinalizationStep) -> Result<FinalizationOutcome, MongoError> {
    match step {
        FinalizationStep::Prepare => prepare_finalization(&indexer.source, &indexer.destination).await,
        FinalizationStep::Finalize => mongoferry_mongo::finalize(&indexer.source, &indexer.destination).await,
    }
}
