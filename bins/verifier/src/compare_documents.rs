//! Compares the documents of one collection on both sides, byte for byte; their order only where it counts.
//!
//! First a fingerprint of each side in one scan. Where buckets differ, the documents in them are looked at one by one, a
//! bounded number at a time; what still differs after a few looks is a difference. Memory does not grow with the collection.

use mongoferry_mongo::{Cluster, DocumentScan, MongoError};
use mongoferry_protocol::{Difference, DifferenceKind, Namespace, Optime};

use crate::{
    CollectionProgress, DifferenceList, VerifierError,
    document_map::{differing_documents, read_map},
    fingerprint::{DifferingBucket, Fingerprint, parts},
    selection::Selection,
    settle::settle,
};

/// Buckets of the first scan: 128 KiB a side.
const BUCKETS: usize = 4_096;
/// Buckets of the second scan, where many documents are in buckets that differ: 8 MiB a side. A multiple of the first.
const FINE_BUCKETS: usize = 64 * BUCKETS;
/// Documents looked at one by one at the same time.
const PART_DOCUMENTS: u64 = 100_000;
/// Each part costs a scan. Of what differs beyond them, in a collection known to differ, only a lower bound is counted.
const PARTS: usize = 4;

/// One of the two clusters.
#[derive(Clone, Debug)]
pub struct Side {
    pub cluster: Cluster,
    /// Under which the collection stands there.
    pub namespace: Namespace,
    /// Nothing older than this optime of the cluster is read.
    pub not_before: Optime,
}

/// What is compared: a collection that exists on both sides.
#[derive(Clone, Debug)]
pub struct CollectionPair {
    /// On the source.
    pub namespace: Namespace,
    pub source: Side,
    pub destination: Side,
    /// The order of the documents counts, too.
    pub ordered: bool,
    /// 0 if unknown.
    pub average_document_bytes: u64,
}

impl CollectionPair {
    pub(crate) async fn scan(&self, side: &Side) -> Result<DocumentScan, MongoError> {
        DocumentScan::whole(&side.cluster, &side.namespace, side.not_before, self.average_document_bytes).await
    }

    pub(crate) fn without_id(&self) -> VerifierError {
        VerifierError::WithoutId { namespace: self.namespace.clone() }
    }
}

/// All differences between the two sides' documents. `progress` counts the source's documents of the first scan.
pub async fn compare_documents(
    pair: &CollectionPair,
    progress: &CollectionProgress,
) -> Result<DifferenceList, VerifierError> {
    progress.begin();
    let mut found = DifferenceList::with_limit(DifferenceList::PER_COLLECTION);
    let (source, destination) = fingerprints(pair, BUCKETS, &Selection::everything(), progress).await?;
    let mut differing = source.differing(&destination);
    if differing.is_empty() && pair.ordered && !source.same_order(&destination) {
        found.push(other_order(pair));
    }
    if documents_of(&differing) > PART_DOCUMENTS {
        let within = selection(BUCKETS, &differing);
        let (source, destination) = fingerprints(pair, FINE_BUCKETS, &within, &CollectionProgress::default()).await?;
        differing = source.differing(&destination);
        explain(pair, FINE_BUCKETS, differing, &mut found).await?;
    } else {
        explain(pair, BUCKETS, differing, &mut found).await?;
    }
    Ok(found)
}

async fn fingerprints(
    pair: &CollectionPair,
    bucket_count: usize,
    within: &Selection,
    progress: &CollectionProgress,
) -> Result<(Fingerprint, Fingerprint), VerifierError> {
    tokio::try_join!(
        Fingerprint::read(&pair.source, pair, bucket_count, within, |read| progress.add(&read)),
        Fingerprint::read(&pair.destination, pair, bucket_count, within, |_| {}),
    )
}

fn other_order(pair: &CollectionPair) -> Difference {
    Difference {
        kind: DifferenceKind::DocumentOrder,
        namespace: pair.namespace.to_string(),
        item: None,
        detail: "the same documents in another order".into(),
    }
}

async fn explain(
    pair: &CollectionPair,
    bucket_count: usize,
    differing: Vec<DifferingBucket>,
    found: &mut DifferenceList,
) -> Result<(), VerifierError> {
    for (number, part) in parts(differing, PART_DOCUMENTS).into_iter().enumerate() {
        if number >= PARTS && found.count > 0 {
            found.count_more(part.iter().map(|bucket| bucket.least_differences).sum());
            continue;
        }
        let within = selection(bucket_count, &part);
        let (source, destination) =
            tokio::try_join!(async { read_map(pair.scan(&pair.source).await?, pair, &within).await }, async {
                read_map(pair.scan(&pair.destination).await?, pair, &within).await
            },)?;
        let mut documents = differing_documents(&source, destination);
        // Once the collection is known to differ, waiting for single documents would change nothing.
        if found.count == 0 {
            documents = settle(pair, documents).await?;
        }
        for document in documents {
            found.push(document.describe(&pair.namespace));
        }
    }
    Ok(())
}

fn documents_of(differing: &[DifferingBucket]) -> u64 {
    differing.iter().map(|bucket| bucket.documents).sum()
}

fn selection(bucket_count: usize, buckets: &[DifferingBucket]) -> Selection {
    let numbers: Vec<usize> = buckets.iter().map(|bucket| bucket.number).collect();
    Selection::of(bucket_count, &numbers)
}
