//! Compares the documents of all users' collections, a few collections at a time, the largest first.

use mongoferry_mongo::{CatalogListing, Cluster, CollectionInfo, is_capped, list_catalog};
use mongoferry_protocol::{Difference, Optime};
use mongoferry_stage::Stage;
use tokio::task::JoinSet;

use crate::{
    CollectionPair, CollectionProgress, DifferenceList, Side, VerifierError,
    ahead::{Ahead, Vouched, VouchedCollection},
    collection_pairs::pair_collections,
    compare_documents,
    progress::Progress,
    settle::settle_ids,
    verify::Clusters,
};

/// Nothing of the source older than `silent_from` is read, nor of the destination older than its listing.
pub(crate) async fn compare_all_documents(
    clusters: &Clusters,
    ahead: &Ahead,
    silent_from: Optime,
    progress: &Progress,
    stage: &Stage,
    at_once: usize,
) -> Result<(), VerifierError> {
    let (source, destination) = tokio::try_join!(list_catalog(&clusters.source), list_catalog(&clusters.destination))?;
    let vouched = Vouched::at(ahead, silent_from, destination.listed_at).await;
    let pairs = pair_collections(&source, &destination);
    progress.set_total(pairs.both.len());
    for difference in pairs.differences {
        progress.differs(difference);
    }
    let mut largest_first = pairs.both;
    largest_first.sort_by_key(|(ours, _)| std::cmp::Reverse(ours.size_bytes));

    let mut comparing = JoinSet::new();
    for (ours, theirs) in largest_first {
        if comparing.len() >= at_once {
            take_result(&mut comparing, progress).await?;
        }
        let since = [silent_from.max(source.listed_at), destination.listed_at];
        let pair = collection_pair(clusters, ours, theirs, since);
        let (progress, stage) = (progress.of_collection(), stage.clone());
        let vouched = vouched.for_pair(ours, theirs).cloned();
        comparing.spawn(async move {
            let compare = || async {
                match &vouched {
                    Some(vouched) => compare_suspects(&pair, vouched, &progress).await,
                    None => compare_documents(&pair, &progress).await,
                }
            };
            let found = mongoferry_stage::retry(&stage, "comparing a collection", compare).await;
            if let Ok(found) = &found {
                tracing::info!(namespace = %pair.namespace, documents = progress.documents(), differences = found.count, "compared");
            }
            found
        });
    }
    while !comparing.is_empty() {
        take_result(&mut comparing, progress).await?;
    }
    Ok(())
}

/// The rest was compared ahead.
async fn compare_suspects(
    pair: &CollectionPair,
    vouched: &VouchedCollection,
    progress: &CollectionProgress,
) -> Result<DifferenceList, VerifierError> {
    progress.begin();
    progress.add_ahead(vouched.documents, vouched.bytes);
    let mut found = DifferenceList::with_limit(DifferenceList::PER_COLLECTION);
    for document in settle_ids(pair, &vouched.suspects).await? {
        found.push(document.describe(&pair.namespace));
    }
    Ok(found)
}

async fn take_result(
    comparing: &mut JoinSet<Result<DifferenceList, VerifierError>>,
    progress: &Progress,
) -> Result<(), VerifierError> {
    if let Some(ended) = comparing.join_next().await {
        progress.collection_done(ended.expect("the comparing of a collection does not panic")?);
    }
    Ok(())
}

/// Once more for the capped collections, which finalizing makes anew; returns what differs.
pub(crate) async fn compare_capped(
    clusters: &Clusters,
    silent_from: Optime,
    source: &CatalogListing,
    destination: &CatalogListing,
) -> Result<Vec<Difference>, VerifierError> {
    let mut found = Vec::new();
    let capped = pair_collections(source, destination).both.into_iter().filter(|(ours, _)| is_capped(&ours.options));
    for (ours, theirs) in capped {
        let since = [silent_from.max(source.listed_at), destination.listed_at];
        let pair = collection_pair(clusters, ours, theirs, since);
        found.extend(compare_documents(&pair, &CollectionProgress::default()).await?.listed);
    }
    Ok(found)
}

pub(crate) fn collection_pair(
    clusters: &Clusters,
    ours: &CollectionInfo,
    theirs: &CollectionInfo,
    [source_since, destination_since]: [Optime; 2],
) -> CollectionPair {
    let side = |cluster: &Cluster, info: &CollectionInfo, not_before| Side {
        cluster: cluster.clone(),
        namespace: info.namespace.clone(),
        not_before,
    };
    CollectionPair {
        namespace: ours.namespace.clone(),
        source: side(&clusters.source, ours, source_since),
        destination: side(&clusters.destination, theirs, destination_since),
        ordered: is_capped(&ours.options),
        average_document_bytes: average_document_bytes(ours),
    }
}

fn average_document_bytes(collection: &CollectionInfo) -> u64 {
    collection.size_bytes.checked_div(collection.document_count).unwrap_or(0)
}
