//! Documents by `_id`, as hashes: small enough to hold a part of a collection, exact enough to say which differ.

use std::collections::HashMap;

use bson::RawDocument;
use mongoferry_mongo::DocumentScan;
use mongoferry_protocol::{Difference, DifferenceKind, Namespace};
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

use crate::{
    VerifierError,
    compare_documents::CollectionPair,
    id_bytes::{id_bytes, id_text},
    selection::Selection,
};

/// From the bytes of the `_id` element to what the document comes down to. With usual `_id`s an entry takes about 80 bytes.
pub(crate) type DocumentMap = HashMap<Vec<u8>, DocumentHash>;

/// The hash of a document, as bytes so that it needs no more room with its length beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct DocumentHash {
    hash: [u8; 16],
    bytes: u32,
}

impl DocumentHash {
    pub(crate) fn of(document: &RawDocument) -> Self {
        let bytes = document.as_bytes();
        // A document has 16 MiB at most.
        Self { hash: xxh3_128(bytes).to_le_bytes(), bytes: bytes.len() as u32 }
    }
}

/// Takes the documents of `within` from a scan.
pub(crate) async fn read_map(
    mut scan: DocumentScan,
    pair: &CollectionPair,
    within: &Selection,
) -> Result<DocumentMap, VerifierError> {
    let mut map = DocumentMap::new();
    while let Some(batch) = scan.next().await? {
        for document in batch.documents()? {
            let document: &RawDocument = document?;
            let id = id_bytes(document).ok_or_else(|| pair.without_id())?;
            if within.contains(xxh3_64(id)) {
                map.insert(id.to_vec(), DocumentHash::of(document));
            }
        }
    }
    Ok(map)
}

/// A document that is not the same on both sides.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct DifferingDocument {
    /// The `_id` element.
    pub(crate) id: Vec<u8>,
    source: Option<DocumentHash>,
    destination: Option<DocumentHash>,
}

/// The documents that differ, sorted by the bytes of their `_id`.
pub(crate) fn differing_documents(source: &DocumentMap, mut destination: DocumentMap) -> Vec<DifferingDocument> {
    let mut differing = Vec::new();
    for (id, &ours) in source {
        let theirs = destination.remove(id);
        if theirs != Some(ours) {
            differing.push(DifferingDocument { id: id.clone(), source: Some(ours), destination: theirs });
        }
    }
    let extra = destination.into_iter();
    differing.extend(extra.map(|(id, theirs)| DifferingDocument { id, source: None, destination: Some(theirs) }));
    differing.sort_unstable();
    differing
}

impl DifferingDocument {
    /// How large it is on the source.
    pub(crate) fn source_bytes(&self) -> usize {
        self.source.map_or(0, |hash| hash.bytes as usize)
    }

    pub(crate) fn is_on_both_sides(&self) -> bool {
        self.source.is_some() && self.destination.is_some()
    }

    pub(crate) fn describe(&self, namespace: &Namespace) -> Difference {
        let (kind, detail) = match (self.source, self.destination) {
            (_, None) => (DifferenceKind::MissingDocument, "exists on the source only"),
            (None, Some(_)) => (DifferenceKind::ExtraDocument, "exists on the destination only"),
            (Some(_), Some(_)) => (DifferenceKind::ChangedDocument, "its bytes differ"),
        };
        Difference { kind, namespace: namespace.to_string(), item: Some(id_text(&self.id)), detail: detail.into() }
    }
}

#[cfg(test)]
mod tests {
    use mongoferry_protocol::{DifferenceKind, Namespace};

    use super::{DocumentHash, DocumentMap, differing_documents};

    #[test]
    fn three_kinds_of_difference() {
        let map = |entries: &[(u8, u8)]| -> DocumentMap {
            let hash = |hash| DocumentHash { hash: [hash; 16], bytes: 5 };
            entries.iter().map(|&(id, of)| (vec![0x10, b'_', b'i', b'd', 0, id, 0, 0, 0], hash(of))).collect()
        };
        let differing = differing_documents(&map(&[(1, 1), (2, 2), (3, 3)]), map(&[(2, 2), (3, 4), (5, 5)]));
        let namespace = Namespace::new("shop", "orders");
        let found: Vec<_> = differing.iter().map(|document| document.describe(&namespace)).collect();
        let found: Vec<_> = found.iter().map(|found| (found.kind, found.item.as_deref())).collect();
        assert_eq!(
            found,
            [
                (DifferenceKind::MissingDocument, Some("1")),
                (DifferenceKind::ChangedDocument, Some("3")),
                (DifferenceKind::ExtraDocument, Some("5")),
            ]
        );
    }
}
