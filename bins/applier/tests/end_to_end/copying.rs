//! A plain copy, collection after collection, of a source that is being written to: every document as it is when its turn
//! comes.

use bson::{RawDocument, RawDocumentBuf};
use mongoferry_bus::{Bus, key};
use mongoferry_mongo::{
    CatalogListing, Cluster, CollectionInfo, Fenced, MongoError, RangeReader, RangeRequest, build_indexes,
    create_collection, facts, insert_raw, list_catalog,
};
use mongoferry_protocol::{Catalog, CollectionPlan, CopyRange, Optime, ReadOrder};
use serde_bytes::ByteBuf;

/// Lists the source for the applier and creates the collections.
pub async fn list(source: &Cluster, destination: &Cluster, bus: &Bus) -> CatalogListing {
    let version = facts(destination).await.expect("answers").version;
    let listing = list_catalog(source).await.expect("lists");
    let mut collections = Vec::new();
    for info in &listing.collections {
        let uuid = info.uuid.expect("a collection has a UUID");
        let plan = CollectionPlan {
            uuid,
            namespace: info.namespace.clone(),
            options: info.options.as_bytes().to_vec(),
            indexes: info.indexes.iter().map(|index| ByteBuf::from(index.as_bytes())).collect(),
            size_bytes: info.size_bytes,
            document_count: info.document_count,
        };
        bus.records().put(&key::collection(uuid), &plan).await.expect("stored");
        create_collection(destination, version, &info.namespace, &info.options).await.expect("created");
        collections.push(uuid);
    }
    let catalog = Catalog { listed_at: listing.listed_at, collections };
    bus.records().put(&key::catalog(), &catalog).await.expect("stored");
    listing
}

pub async fn copy(source: &Cluster, destination: &Cluster, listing: &CatalogListing, apply_after: Optime) {
    for info in &listing.collections {
        copy_collection(source, destination, info, apply_after).await;
    }
}

async fn copy_collection(source: &Cluster, destination: &Cluster, info: &CollectionInfo, apply_after: Optime) {
    let mut from: Option<RawDocumentBuf> = None;
    loop {
        match copy_from(source, destination, info, from.as_deref(), apply_after).await {
            Ok(()) | Err((MongoError::CollectionGone { .. }, _)) => break,
            Err((MongoError::CursorLost { .. }, last)) => from = last.or(from),
            Err((error, _)) => panic!("copying {}: {error}", info.namespace),
        }
    }
    build_indexes(Fenced::alone(destination), &info.namespace, None, &info.indexes).await.expect("built");
}

/// After an error, also the last document that was written.
async fn copy_from(
    source: &Cluster,
    destination: &Cluster,
    info: &CollectionInfo,
    resume: Option<&RawDocument>,
    apply_after: Optime,
) -> Result<(), (MongoError, Option<RawDocumentBuf>)> {
    let collection = info.uuid.expect("a collection has a UUID");
    let range = CopyRange { collection, number: 0, order: ReadOrder::ById, lower: None, upper: None };
    let request = RangeRequest {
        database: info.namespace.database(),
        range: &range,
        resume,
        resumable: false,
        apply_after,
        average_document_bytes: 100_000,
    };
    let mut last = None;
    let mut reader = RangeReader::open(source, &request).await.map_err(|error| (error, None))?;
    loop {
        match reader.next().await {
            Ok(Some(batch)) => {
                insert_raw(destination, &info.namespace, batch.array()).await.expect("inserted");
                last = batch.resume_at().map(ToOwned::to_owned);
            }
            Ok(None) => return Ok(()),
            Err(error) => return Err((error, last)),
        }
    }
}
