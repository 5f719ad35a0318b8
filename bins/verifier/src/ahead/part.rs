//! A part of a collection, read from both sides by `_id` and compared.

use bson::{RawArray, RawDocument, RawDocumentBuf};
use mongoferry_mongo::{Cluster, RangeReader, RangeRequest, last_optimes};
use mongoferry_protocol::{AheadCollection, CollectionUuid, CopyRange, Namespace, Optime, ReadOrder};

use crate::{
    VerifierError,
    document_map::{DocumentHash, DocumentMap, differing_documents},
    id_bytes::{id_bytes, id_document},
    verify::Clusters,
};

/// Of one part, whichever is reached first.
pub(super) const PART_DOCUMENTS: usize = 50_000;
const PART_BYTES: u64 = 64 * 1024 * 1024;

/// What comparing a part found.
pub(super) struct Part {
    /// Of the source.
    pub(super) documents: u64,
    pub(super) bytes: u64,
    /// Bytes of `_id` elements.
    pub(super) unequal: Vec<Vec<u8>>,
    /// What is unequal may be so because of changes up to here.
    pub(super) due: Optime,
    /// `{_id: …}` of the first document behind it; none at the end.
    pub(super) upper: Option<RawDocumentBuf>,
    /// The destination holds so many documents more that they were not all read.
    pub(super) is_overrun: bool,
}

/// Compares the documents from `lower` on. Both sides are read as they are now or later.
pub(super) async fn compare_part(
    clusters: &Clusters,
    collection: &AheadCollection,
    lower: Option<&RawDocument>,
) -> Result<Part, VerifierError> {
    let (on_source, on_destination) =
        tokio::try_join!(last_optimes(&clusters.source), last_optimes(&clusters.destination))?;
    let database = collection.namespace.database();
    let source = Side { cluster: &clusters.source, database, not_before: on_source.majority, collection };
    let range = range(collection.on_source, lower, None);
    let mut hashes = source.read(&range, PART_DOCUMENTS, PART_BYTES).await?;
    let upper = if hashes.is_whole { None } else { Some(hashes.take_last(&collection.namespace)?) };

    let database = &*collection.database_on_destination;
    let destination =
        Side { cluster: &clusters.destination, database, not_before: on_destination.majority, collection };
    let range = self::range(collection.on_destination, lower, upper.as_deref());
    // Its bounds are those of the source, its documents as many, unless somebody has added very many.
    let theirs = destination.read(&range, 20 * PART_DOCUMENTS, u64::MAX).await?;
    let due = last_optimes(&clusters.source).await?.last;
    let unequal = differing_documents(&hashes.map, theirs.map);
    let unequal = unequal.into_iter().map(|document| document.id).collect();
    let is_overrun = !theirs.is_whole;
    Ok(Part { documents: hashes.documents, bytes: hashes.bytes, unequal, due, upper, is_overrun })
}

fn range(collection: CollectionUuid, lower: Option<&RawDocument>, upper: Option<&RawDocument>) -> CopyRange {
    let bound = |id: &RawDocument| id.as_bytes().to_vec().into();
    CopyRange { collection, number: 0, order: ReadOrder::ById, lower: lower.map(bound), upper: upper.map(bound) }
}

struct Side<'a> {
    cluster: &'a Cluster,
    database: &'a str,
    not_before: Optime,
    collection: &'a AheadCollection,
}

impl Side<'_> {
    /// Stops behind so many documents or bytes.
    async fn read(&self, range: &CopyRange, documents: usize, bytes: u64) -> Result<Hashes, VerifierError> {
        let (total_bytes, total) = (self.collection.bytes_total, self.collection.documents_total);
        let request = RangeRequest {
            database: self.database,
            range,
            resume: None,
            resumable: false,
            apply_after: self.not_before,
            average_document_bytes: total_bytes.checked_div(total).unwrap_or(0),
        };
        let mut hashes = Hashes::default();
        let mut reader = RangeReader::open(self.cluster, &request).await?;
        while let Some(batch) = reader.next().await? {
            hashes.add(batch.array(), &self.collection.namespace)?;
            if hashes.map.len() >= documents || hashes.bytes >= bytes {
                return Ok(hashes);
            }
        }
        hashes.is_whole = true;
        Ok(hashes)
    }
}

#[derive(Default)]
struct Hashes {
    map: DocumentMap,
    documents: u64,
    bytes: u64,
    /// The bytes of the last document's `_id` element.
    last: Vec<u8>,
    /// Read to the end of the range.
    is_whole: bool,
}

impl Hashes {
    fn add(&mut self, documents: &RawArray, namespace: &Namespace) -> Result<(), VerifierError> {
        let without_id = || VerifierError::WithoutId { namespace: namespace.clone() };
        for element in documents {
            let document: &RawDocument = element.ok().and_then(|value| value.as_document()).ok_or_else(without_id)?;
            let id = id_bytes(document).ok_or_else(without_id)?;
            self.map.insert(id.to_vec(), DocumentHash::of(document));
            self.documents += 1;
            self.bytes += document.as_bytes().len() as u64;
            id.clone_into(&mut self.last);
        }
        Ok(())
    }

    /// The last document begins the next part.
    fn take_last(&mut self, namespace: &Namespace) -> Result<RawDocumentBuf, VerifierError> {
        self.map.remove(&self.last);
        self.documents -= 1;
        id_document(&self.last).map_err(|_| VerifierError::WithoutId { namespace: namespace.clone() })
    }
}
