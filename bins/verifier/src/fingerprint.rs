//! What a set of documents comes down to, in bounded memory and whatever their order: for each bucket of `_id` hashes the
//! number of documents and the sum of their hashes. Equal fingerprints mean equal documents, but for a chance of 2⁻¹²⁸.

use bson::RawDocument;
use mongoferry_mongo::MongoError;
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

use crate::{
    VerifierError,
    compare_documents::{CollectionPair, Side},
    id_bytes::id_bytes,
    selection::{Selection, bucket_of},
};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Bucket {
    documents: u64,
    sum: u128,
}

#[derive(Clone, Debug)]
pub(crate) struct Fingerprint {
    buckets: Vec<Bucket>,
    /// Depends on all documents and on their order.
    sequence: u128,
}

/// Odd, so that no document is lost from the sequence; otherwise of no meaning.
const SEQUENCE_FACTOR: u128 = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835;

/// Documents and bytes of a batch that was read.
pub(crate) struct BatchRead {
    pub(crate) documents: u64,
    pub(crate) bytes: u64,
}

impl Fingerprint {
    fn new(bucket_count: usize) -> Self {
        Self { buckets: vec![Bucket::default(); bucket_count], sequence: 0 }
    }

    fn add(&mut self, id_hash: u64, document: &RawDocument) {
        let index = bucket_of(id_hash, self.buckets.len());
        let bucket = &mut self.buckets[index];
        bucket.documents += 1;
        let hash = xxh3_128(document.as_bytes());
        bucket.sum = bucket.sum.wrapping_add(hash);
        self.sequence = self.sequence.wrapping_mul(SEQUENCE_FACTOR).wrapping_add(hash);
    }

    /// Whether the same documents were read in the same order.
    pub(crate) fn same_order(&self, other: &Self) -> bool {
        self.sequence == other.sequence
    }

    /// Reads the documents of `within` on one side. `batch_read` is told of every batch.
    pub(crate) async fn read(
        side: &Side,
        pair: &CollectionPair,
        bucket_count: usize,
        within: &Selection,
        mut batch_read: impl FnMut(BatchRead),
    ) -> Result<Self, VerifierError> {
        let mut fingerprint = Self::new(bucket_count);
        let mut scan = pair.scan(side).await?;
        while let Some(batch) = scan.next().await? {
            let mut read = BatchRead { documents: 0, bytes: 0 };
            for document in batch.documents()? {
                let document: &RawDocument = document.map_err(|error: MongoError| error)?;
                let id = id_bytes(document).ok_or_else(|| pair.without_id())?;
                let id_hash = xxh3_64(id);
                if within.contains(id_hash) {
                    fingerprint.add(id_hash, document);
                }
                read.documents += 1;
                read.bytes += document.as_bytes().len() as u64;
            }
            batch_read(read);
        }
        Ok(fingerprint)
    }

    /// The buckets that are not equal, each with the larger of the two numbers of documents.
    pub(crate) fn differing(&self, other: &Self) -> Vec<DifferingBucket> {
        let pairs = self.buckets.iter().zip(&other.buckets).enumerate();
        pairs
            .filter(|(_, (ours, theirs))| ours != theirs)
            .map(|(number, (ours, theirs))| DifferingBucket {
                number,
                documents: ours.documents.max(theirs.documents),
                least_differences: ours.documents.abs_diff(theirs.documents).max(1),
            })
            .collect()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DifferingBucket {
    pub(crate) number: usize,
    pub(crate) documents: u64,
    /// What is certain without looking at the documents.
    pub(crate) least_differences: u64,
}

/// Cuts the buckets into parts of at most `limit` documents each (a single larger bucket is a part by itself).
pub(crate) fn parts(differing: Vec<DifferingBucket>, limit: u64) -> Vec<Vec<DifferingBucket>> {
    let (mut parts, mut documents) = (Vec::<Vec<DifferingBucket>>::new(), 0);
    for bucket in differing {
        match parts.last_mut() {
            Some(part) if documents + bucket.documents <= limit => part.push(bucket),
            _ => {
                documents = 0;
                parts.push(vec![bucket]);
            }
        }
        documents += bucket.documents;
    }
    parts
}

#[cfg(test)]
mod tests {
    use bson::{RawDocumentBuf, rawdoc};
    use xxhash_rust::xxh3::xxh3_64;

    use super::{DifferingBucket, Fingerprint, parts};
    use crate::id_bytes::id_bytes;

    fn of(documents: &[RawDocumentBuf]) -> Fingerprint {
        let mut fingerprint = Fingerprint::new(64);
        for document in documents {
            fingerprint.add(xxh3_64(id_bytes(document).expect("an id")), document);
        }
        fingerprint
    }

    #[test]
    fn order_is_nothing_and_every_byte_is_something() {
        let [a, b] = [rawdoc! {"_id": 1, "x": 1}, rawdoc! {"_id": 2, "x": 2}];
        let both = of(&[a.clone(), b.clone()]);
        let reversed = of(&[b.clone(), a.clone()]);
        assert_eq!(both.differing(&reversed), []);
        assert!(!both.same_order(&reversed) && both.same_order(&of(&[a.clone(), b.clone()])));
        let changed = rawdoc! {"_id": 2, "x": 2i64};
        for other in [of(&[a.clone(), changed]), of(std::slice::from_ref(&a)), of(&[a, b.clone(), rawdoc! {"_id": 3}])]
        {
            let differing = both.differing(&other);
            assert_eq!(differing.len(), 1, "{differing:?}");
            assert_eq!(differing[0].least_differences, 1);
        }
    }

    #[test]
    fn parts_stay_within_the_limit() {
        let buckets = [3, 4, 9, 1, 1, 1].iter().enumerate();
        let buckets = buckets.map(|(number, &documents)| DifferingBucket { number, documents, least_differences: 1 });
        let sizes: Vec<Vec<u64>> = parts(buckets.collect(), 7)
            .iter()
            .map(|part| part.iter().map(|bucket| bucket.documents).collect())
            .collect();
        assert_eq!(sizes, [vec![3, 4], vec![9], vec![1, 1, 1]]);
    }
}
