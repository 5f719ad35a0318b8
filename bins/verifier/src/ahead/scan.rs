//! Compares every document once: collection by collection, the largest first, part by part in the order of `_id`.

use std::time::Duration;

use bson::RawDocumentBuf;
use futures_util::future::try_join_all;
use mongoferry_mongo::{CollectionInfo, CollectionKind, MongoError, list_catalog, write_order};
use mongoferry_protocol::{AheadCollection, AheadState, Phase, WriteOrder};
use mongoferry_stage::Stage;

use super::{part::compare_part, state::Ahead};
use crate::{VerifierError, collection_pairs::pair_collections, verify::Clusters};

/// How long until new collections are looked for once all are compared.
const LIST_AGAIN: Duration = Duration::from_secs(20);

/// Never ends by itself.
pub(super) async fn scan(
    stage: &Stage,
    clusters: &Clusters,
    ahead: &Ahead,
    at_once: usize,
) -> Result<(), VerifierError> {
    let mut phases = stage.phases.clone();
    loop {
        phases.wait_for(|record| is_time(record.phase)).await;
        let listed = list(clusters).await?;
        ahead.state().meet(listed);
        let workers = (0..at_once).map(|_| scan_collections(stage, clusters, ahead));
        try_join_all(workers).await?;
        tokio::time::sleep(LIST_AGAIN).await;
    }
}

/// The applier is close behind the source, and no cutover is under way.
fn is_time(phase: Phase) -> bool {
    matches!(phase, Phase::CatchingUp | Phase::Ready)
}

async fn list(clusters: &Clusters) -> Result<Vec<AheadCollection>, VerifierError> {
    let (source, destination) = tokio::try_join!(list_catalog(&clusters.source), list_catalog(&clusters.destination))?;
    let pairs = pair_collections(&source, &destination).both;
    Ok(pairs.into_iter().filter_map(|(ours, theirs)| pair(ours, theirs)).collect())
}

/// As it stands before anything of it is compared; `None` where one side tells no UUID.
pub(crate) fn pair(ours: &CollectionInfo, theirs: &CollectionInfo) -> Option<AheadCollection> {
    Some(AheadCollection {
        namespace: ours.namespace.clone(),
        database_on_destination: theirs.namespace.database().to_owned(),
        on_source: ours.uuid?,
        on_destination: theirs.uuid?,
        state: if is_read_by_id(ours) { AheadState::Waiting } else { AheadState::AtCutover },
        lower: None,
        documents: 0,
        bytes: 0,
        documents_total: ours.document_count,
        bytes_total: ours.size_bytes,
    })
}

/// Order counts in capped collections; text is not ordered by its bytes under a collation; clustered collections and buckets have
/// no index of `_id` on every server.
fn is_read_by_id(info: &CollectionInfo) -> bool {
    let is_clustered = info.options.get("clusteredIndex").ok().flatten().is_some();
    info.kind == CollectionKind::Collection && !is_clustered && write_order(&info.options) == WriteOrder::ByDocument
}

async fn scan_collections(stage: &Stage, clusters: &Clusters, ahead: &Ahead) -> Result<(), VerifierError> {
    loop {
        let Some(collection) = ahead.state().next_to_scan() else { return Ok(()) };
        let uuid = collection.on_source;
        let scanned = scan_collection(stage, clusters, ahead, collection).await;
        if let Some(collection) = ahead.state().collections.get_mut(&uuid)
            && collection.state == AheadState::Comparing
        {
            collection.state = AheadState::Waiting;
        }
        if !scanned? {
            return Ok(());
        }
    }
}

/// False if it is not the time any more.
async fn scan_collection(
    stage: &Stage,
    clusters: &Clusters,
    ahead: &Ahead,
    collection: AheadCollection,
) -> Result<bool, VerifierError> {
    let mut lower = collection.lower.as_ref().and_then(|id| RawDocumentBuf::from_bytes(id.to_vec()).ok());
    loop {
        if !stage.phases.current().is_some_and(|record| is_time(record.phase)) {
            return Ok(false);
        }
        let part = match compare_part(clusters, &collection, lower.as_deref()).await {
            Err(VerifierError::Mongo(MongoError::CollectionGone { .. })) => {
                // What has taken its place will be listed.
                ahead.state().collections.remove(&collection.on_source);
                return Ok(true);
            }
            part => part?,
        };
        let mut state = ahead.state();
        let Some(known) = state.collections.get_mut(&collection.on_source) else { return Ok(true) };
        if known.state != AheadState::Comparing {
            return Ok(true);
        }
        if part.is_overrun {
            known.state = AheadState::Overrun;
            return Ok(true);
        }
        known.documents += part.documents;
        known.bytes += part.bytes;
        known.lower = part.upper.as_ref().map(|id| id.as_bytes().to_vec().into());
        if part.upper.is_none() {
            known.state = AheadState::Done;
        }
        state.seen_unequal(collection.on_source, part.unequal, part.due);
        if part.upper.is_none() {
            return Ok(true);
        }
        lower = part.upper;
    }
}
