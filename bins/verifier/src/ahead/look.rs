//! Looks at single documents on both sides.

use std::collections::HashSet;

use mongoferry_mongo::{Cluster, DocumentScan, MongoError};
use mongoferry_protocol::{AheadCollection, CollectionUuid, Optime};

use crate::{
    VerifierError,
    document_map::{DifferingDocument, DocumentHash, DocumentMap, differing_documents},
    id_bytes::{id_bytes, id_document},
    id_commands::commands_of_ids,
    verify::Clusters,
};

/// What a look found.
#[derive(Default)]
pub(crate) struct Looked {
    /// Bytes of `_id` elements.
    pub(crate) equal: Vec<Vec<u8>>,
    pub(crate) unequal: Vec<DifferingDocument>,
}

impl Looked {
    pub(crate) fn unequal_ids(&self) -> Vec<Vec<u8>> {
        self.unequal.iter().map(|document| document.id.clone()).collect()
    }
}

/// Nothing older than `not_before` is read, of the source and of the destination. `None` if the collection is gone from one side.
pub(crate) async fn look(
    clusters: &Clusters,
    collection: &AheadCollection,
    ids: Vec<Vec<u8>>,
    not_before: [Optime; 2],
) -> Result<Option<Looked>, VerifierError> {
    let mut looked = Looked::default();
    for ids in commands_of_ids(ids) {
        let source = (&clusters.source, collection.namespace.database(), collection.on_source, not_before[0]);
        let destination =
            (&clusters.destination, &*collection.database_on_destination, collection.on_destination, not_before[1]);
        let read = tokio::try_join!(read(source, collection, &ids), read(destination, collection, &ids));
        let (source, destination) = match read {
            Err(VerifierError::Mongo(MongoError::CollectionGone { .. })) => return Ok(None),
            read => read?,
        };
        let differing = differing_documents(&source, destination);
        let unequal: HashSet<&[u8]> = differing.iter().map(|document| document.id.as_slice()).collect();
        looked.equal.extend(ids.into_iter().filter(|id| !unequal.contains(id.as_slice())));
        looked.unequal.extend(differing);
    }
    Ok(Some(looked))
}

async fn read(
    (cluster, database, uuid, not_before): (&Cluster, &str, CollectionUuid, Optime),
    collection: &AheadCollection,
    ids: &[Vec<u8>],
) -> Result<DocumentMap, VerifierError> {
    let without_id = || VerifierError::WithoutId { namespace: collection.namespace.clone() };
    let documents: Result<Vec<_>, _> = ids.iter().map(|id| id_document(id)).collect();
    let documents = documents.map_err(|_| without_id())?;
    let wanted = documents.iter().map(|id| &**id);
    let mut scan = DocumentScan::by_ids_of(cluster, database, uuid, not_before, wanted).await?;
    let mut map = DocumentMap::new();
    while let Some(batch) = scan.next().await? {
        for document in batch.documents()? {
            let document = document?;
            let id = id_bytes(document).ok_or_else(without_id)?;
            map.insert(id.to_vec(), DocumentHash::of(document));
        }
    }
    Ok(map)
}
