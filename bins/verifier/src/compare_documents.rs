//! Compares the documents of one collection on both sides, byte for byte; their order only where it counts.
//!
//! First a fingerprint of each side in one scan. Where buckets differ, the documents in them are looked at one by one, a
//! bounded number at a time; what still differs after a few looks is a difference. Memory does not grow with the collection: two
//! fingerprints, and two parts of [`PART_DOCUMENTS`] hashes (about 80 bytes each with usual `_id`s). Measured: 2 million documents of
//! which 50,000 differed did not raise the 90 MiB of a process that had compared ten million others.

use mongoferry_mongo::{Cluster, DocumentScan, MongoError};
use mongoferry_protocol::{Difference, DifferenceKind, Namespace, Optime};

use crate::{
    CollectionProgress, DifferenceList, VerifierError,
    document_map::{DifferingDocument, differing_documents, read_map},
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
    let differing = differing_buckets(pair, progress).await?;
    if differing.other_order {
        found.push(other_order(pair));
    }
    explain(pair, differing, &mut found).await?;
    Ok(found)
}

/// Documents that were not the same when each side was read: what differs, and what changed between the two readings.
#[derive(Debug, Default)]
pub(crate) struct Suspected {
    pub(crate) documents: Vec<DifferingDocument>,
    /// Not looked at any more, at least.
    pub(crate) more: u64,
    /// Of an ordered collection with the same documents.
    pub(crate) other_order: bool,
}

/// Reads both sides once, and those parts again that are not the same. Stops behind `limit` documents.
pub(crate) async fn suspected(pair: &CollectionPair, limit: usize) -> Result<Suspected, VerifierError> {
    let differing = differing_buckets(pair, &CollectionProgress::default()).await?;
    let mut found = Suspected { other_order: differing.other_order, ..Suspected::default() };
    for part in parts(differing.buckets, PART_DOCUMENTS) {
        if found.documents.len() >= limit {
            found.more += part.iter().map(|bucket| bucket.least_differences).sum::<u64>();
            continue;
        }
        found.documents.extend(read_part(pair, &selection(differing.bucket_count, &part)).await?);
    }
    Ok(found)
}

struct Differing {
    bucket_count: usize,
    buckets: Vec<DifferingBucket>,
    other_order: bool,
}

async fn differing_buckets(pair: &CollectionPair, progress: &CollectionProgress) -> Result<Differing, VerifierError> {
    let (source, destination) = fingerprints(pair, BUCKETS, &Selection::everything(), progress).await?;
    let buckets = source.differing(&destination);
    if documents_of(&buckets) > PART_DOCUMENTS {
        let within = selection(BUCKETS, &buckets);
        let (source, destination) = fingerprints(pair, FINE_BUCKETS, &within, &CollectionProgress::default()).await?;
        let buckets = source.differing(&destination);
        return Ok(Differing { bucket_count: FINE_BUCKETS, buckets, other_order: false });
    }
    let other_order = buckets.is_empty() && pair.ordered && !source.same_order(&destination);
    Ok(Differing { bucket_count: BUCKETS, buckets, other_order })
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

async fn explain(pair: &CollectionPair, differing: Differing, found: &mut DifferenceList) -> Result<(), VerifierError> {
    for (number, part) in parts(differing.buckets, PART_DOCUMENTS).into_iter().enumerate() {
        if number >= PARTS && found.count > 0 {
            found.count_more(part.iter().map(|bucket| bucket.least_differences).sum());
            continue;
        }
        let mut documents = read_part(pair, &selection(differing.bucket_count, &part)).await?;
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

/// The documents of this part that differ, each side read on its own.
async fn read_part(pair: &CollectionPair, within: &Selection) -> Result<Vec<DifferingDocument>, VerifierError> {
    let read = async |side| read_map(pair.scan(side).await?, pair, within).await;
    let (source, destination) = tokio::try_join!(read(&pair.source), read(&pair.destination))?;
    Ok(differing_documents(&source, destination))
}

fn documents_of(differing: &[DifferingBucket]) -> u64 {
    differing.iter().map(|bucket| bucket.documents).sum()
}

fn selection(bucket_count: usize, buckets: &[DifferingBucket]) -> Selection {
    let numbers: Vec<usize> = buckets.iter().map(|bucket| bucket.number).collect();
    Selection::of(bucket_count, &numbers)
}
