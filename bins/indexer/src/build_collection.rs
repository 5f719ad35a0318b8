//! The indexes of one collection, after its copy.

use std::{convert::Infallible, time::Duration};

use bson::RawDocument;
use mongoferry_bus::key;
use mongoferry_mongo::{
    BuildOutcome, BuildState, Fenced, build_indexes, facts, index_build_progress, standing_indexes,
};
use mongoferry_protocol::{CollectionPlan, CollectionUuid, IndexProgress, IndexState, IndexStatus};
use tokio::time::Instant;

use crate::{
    indexer::Indexer,
    indexer_error::{IndexerError, unless_no_longer_ours},
    metrics,
    take_work::Ended,
};

const TELL_EVERY: Duration = Duration::from_secs(2);

/// Does nothing if the record says that it is done.
pub async fn build_collection(
    indexer: &Indexer,
    collection: CollectionUuid,
    destination: Fenced<'_>,
) -> Result<Ended, IndexerError> {
    let records = indexer.stage.bus.records();
    let progress = records.get(&key::index(collection)).await?.map(|record| record.value).unwrap_or_default();
    let Some(plan) = records.get(&key::collection(collection)).await?.filter(|_| !progress.complete) else {
        return Ok(Ended::Done);
    };
    let plan = plan.value;
    indexer.stage.set_activity(format!("building indexes of {}", plan.namespace));
    records.put(&key::index(collection), &building(&plan, None)?).await?;
    let began = Instant::now();
    let mut again = !progress.indexes.is_empty();
    let outcomes = mongoferry_stage::retry(&indexer.stage, "building indexes", || {
        let built = build(indexer, &plan, std::mem::replace(&mut again, true), destination);
        async { unless_no_longer_ours(built.await) }
    });
    let outcomes = tokio::select! {
        built = outcomes => built?,
        told = tell_how_far(indexer, collection, &plan) => match told? {},
    };
    let Some(outcomes) = outcomes else { return Ok(Ended::NoLongerOurs) };
    let took = began.elapsed();
    for outcome in &outcomes {
        if let BuildState::Failed { reason } = &outcome.state {
            tracing::warn!(namespace = %plan.namespace, index = outcome.name, reason, "index not built");
        }
    }
    metrics::built(&outcomes, took);
    tracing::info!(namespace = %plan.namespace, indexes = outcomes.len(), seconds = took.as_secs_f64(), "indexes stand");
    let indexes = outcomes.into_iter().map(|outcome| status(&plan, outcome)).collect();
    let done = IndexProgress { complete: true, indexes, took_ms: took.as_millis() as u64 };
    records.put(&key::index(collection), &done).await?;
    Ok(Ended::Done)
}

/// Records what the server says, for as long as it is not stopped. What it can't say for a while is told later.
async fn tell_how_far(
    indexer: &Indexer,
    collection: CollectionUuid,
    plan: &CollectionPlan,
) -> Result<Infallible, IndexerError> {
    let (mut told, mut version) = (None, None);
    loop {
        tokio::time::sleep(TELL_EVERY).await;
        if version.is_none() {
            version = facts(&indexer.destination).await.ok().map(|destination| destination.version);
        }
        match version {
            None => continue,
            // A 4.2.6 did not end a build that it was asked about all the time: it is left alone.
            Some(version) if !version.is_at_least(4, 4) => return std::future::pending().await,
            Some(_) => {}
        }
        let namespace = plan.namespace.before_cutover();
        let Ok(how_far) = index_build_progress(&indexer.destination, &namespace).await else { continue };
        if how_far.is_some() && how_far != told {
            let progress = building(plan, how_far.clone())?;
            if indexer.stage.bus.records().put(&key::index(collection), &progress).await.is_ok() {
                told = how_far;
            }
        }
    }
}

/// A collection that was dropped on the source before it was copied never came to stand; building would create it. What stands
/// `again`, or is being built by the server since the attempt before, is not built again.
async fn build(
    indexer: &Indexer,
    plan: &CollectionPlan,
    again: bool,
    destination: Fenced<'_>,
) -> Result<Vec<BuildOutcome>, IndexerError> {
    let namespace = plan.namespace.before_cutover();
    let Some(standing) = standing_indexes(&indexer.destination, &namespace).await? else { return Ok(Vec::new()) };
    let specs = specifications(plan)?;
    let outcomes = build_indexes(destination, &namespace, None, &specs).await?;
    if again {
        let built = |outcome: &&BuildOutcome| matches!(outcome.state, BuildState::Built { .. });
        let built_now =
            outcomes.iter().filter(built).filter(|outcome| !standing.contains(&outcome.name)).count() as u64;
        indexer.stage.note(|process| process.index_builds_again += built_now);
    }
    Ok(outcomes)
}

fn specifications(plan: &CollectionPlan) -> Result<Vec<&RawDocument>, IndexerError> {
    let unreadable = |cause| IndexerError::UnreadablePlan { collection: plan.namespace.to_string(), cause };
    plan.indexes.iter().map(|index| RawDocument::from_bytes(index).map_err(unreadable)).collect()
}

/// What is shown while the builds run.
fn building(plan: &CollectionPlan, how_far: Option<String>) -> Result<IndexProgress, IndexerError> {
    let names = specifications(plan)?.into_iter().filter_map(|spec| spec.get_str("name").ok());
    let indexes = names.filter(|name| *name != "_id_").map(|name| IndexStatus {
        namespace: plan.namespace.clone(),
        name: name.to_owned(),
        state: IndexState::Building,
        reason: how_far.clone(),
    });
    Ok(IndexProgress { complete: false, indexes: indexes.collect(), took_ms: 0 })
}

fn status(plan: &CollectionPlan, outcome: BuildOutcome) -> IndexStatus {
    let (state, reason) = match outcome.state {
        BuildState::Built { held_back } => (IndexState::Built, held_back),
        BuildState::Deferred { reason } => (IndexState::Deferred, Some(reason)),
        BuildState::Failed { reason } => (IndexState::Failed, Some(reason)),
    };
    IndexStatus { namespace: plan.namespace.clone(), name: outcome.name, state, reason }
}
