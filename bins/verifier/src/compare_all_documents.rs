//! Compares the documents of all users' collections, a few collections at a time, the largest first.

use mongoferry_mongo::{CollectionInfo, list_catalog};
use mongoferry_protocol::Optime;
use mongoferry_stage::CancellationToken;
use tokio::task::JoinSet;

use crate::{
    CollectionPair, DifferenceList, Side, VerifierError, collection_pairs::pair_collections, compare_documents,
    progress::Progress, verify::Clusters,
};

/// Nothing of the source older than `silent_from` is read, nor of the destination older than its listing.
pub(crate) async fn compare_all_documents(
    clusters: &Clusters,
    silent_from: Optime,
    progress: &Progress,
    stopping: &CancellationToken,
    at_once: usize,
) -> Result<(), VerifierError> {
    let (source, destination) = tokio::try_join!(list_catalog(&clusters.source), list_catalog(&clusters.destination))?;
    let pairs = pair_collections(&source, &destination);
    progress.set_total(pairs.both.len());
    for difference in pairs.differences {
        progress.differs(difference);
    }
    let mut largest_first = pairs.both;
    largest_first.sort_by_key(|(ours, _)| std::cmp::Reverse(ours.size_bytes));

    let mut comparing = JoinSet::new();
    for (ours, _) in largest_first {
        if comparing.len() >= at_once {
            take_result(&mut comparing, progress).await?;
        }
        let pair = CollectionPair {
            namespace: ours.namespace.clone(),
            source: Side { cluster: clusters.source.clone(), not_before: silent_from.max(source.listed_at) },
            destination: Side { cluster: clusters.destination.clone(), not_before: destination.listed_at },
            average_document_bytes: average_document_bytes(ours),
        };
        let (progress, stopping) = (progress.of_collection(), stopping.clone());
        comparing.spawn(async move {
            let compare = || async { compare_documents(&pair, &progress).await };
            let found = mongoferry_stage::retry(&stopping, "comparing a collection", compare).await;
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

async fn take_result(
    comparing: &mut JoinSet<Result<DifferenceList, VerifierError>>,
    progress: &Progress,
) -> Result<(), VerifierError> {
    if let Some(ended) = comparing.join_next().await {
        progress.collection_done(ended.expect("the comparing of a collection does not panic")?);
    }
    Ok(())
}

fn average_document_bytes(collection: &CollectionInfo) -> u64 {
    collection.size_bytes.checked_div(collection.document_count).unwrap_or(0)
}
