//! A copy in turns: whose turn a document's is depends on the bytes of its `_id`, so that each is read at a time of its own.

use bson::{RawArrayBuf, RawBsonRef, RawDocument, Timestamp};
use mongoferry_bus::key;
use mongoferry_mongo::{
    CollectionInfo, Fenced, MongoError, RangeReader, RangeRequest, build_indexes, create_collection, facts, insert_raw,
    is_capped, list_catalog,
};
use mongoferry_oplog::IdKey;
use mongoferry_protocol::{
    Catalog, CollectionPlan, CollectionUuid, CopyRange, Optime, ReadOrder, StartPoint, WriteOrder,
};
use serde_bytes::ByteBuf;

use crate::{
    migration::Migration,
    tally::{Copied, Tally},
};

pub struct PiecemealCopy {
    collections: Vec<CollectionInfo>,
    apply_after: Optime,
    turns: usize,
    whole_collections: bool,
}

impl PiecemealCopy {
    /// Lists the source and creates every collection on the destination.
    pub async fn list(migration: &Migration<'_>, start: StartPoint, turns: usize, whole_collections: bool) -> Self {
        let listing = list_catalog(&migration.source).await.expect("lists");
        let version = facts(&migration.destination).await.expect("answers").version;
        let stores: Vec<CollectionInfo> = listing.stores().cloned().collect();
        for info in &stores {
            migration.bus.records().put(&key::collection(uuid_of(info)), &plan(info)).await.expect("stored");
            let namespace = info.namespace.before_cutover();
            create_collection(&migration.destination, version, &namespace, &info.options).await.expect("created");
        }
        let collections = stores.iter().map(uuid_of).collect();
        let catalog = Catalog { listed_at: listing.listed_at, collections };
        migration.bus.records().put(&key::catalog(), &catalog).await.expect("stored");
        Self { collections: stores, apply_after: start.apply_after, turns, whole_collections }
    }

    /// Copies the documents that are chosen by their database and by their `_id`s; those that are copied already stay as
    /// they are. The user is silent meanwhile; `now` is the last thing that happened.
    pub async fn take_turn(
        &self,
        migration: &Migration<'_>,
        now: Timestamp,
        tally: &mut Tally,
        chosen: impl Fn(&CollectionInfo, &[u8]) -> bool,
    ) {
        for info in &self.collections {
            match self.copy_from(migration, info, now, tally, &chosen).await {
                Ok(()) => {}
                Err(MongoError::CollectionGone { .. }) => tally.moment("the collection was gone"),
                Err(error) => panic!("copying {}: {error}", info.namespace),
            }
        }
    }

    async fn copy_from(
        &self,
        migration: &Migration<'_>,
        info: &CollectionInfo,
        now: Timestamp,
        tally: &mut Tally,
        chosen: &impl Fn(&CollectionInfo, &[u8]) -> bool,
    ) -> Result<(), MongoError> {
        let collection = uuid_of(info);
        // Old servers know no way to read buckets by `_id`.
        let whole = is_capped(&info.options) || info.namespace.time_series().is_some();
        let order = if whole { ReadOrder::Natural } else { ReadOrder::ById };
        let range = CopyRange { collection, number: 0, order, lower: None, upper: None };
        let request = RangeRequest {
            database: info.namespace.database(),
            range: &range,
            resume: None,
            resumable: false,
            apply_after: self.apply_after,
            average_document_bytes: 0,
        };
        let mut reader = RangeReader::open(&migration.source, &request).await?;
        while let Some(batch) = reader.next().await? {
            let mut documents = RawArrayBuf::new();
            for document in batch.array().into_iter().flatten().filter_map(RawBsonRef::as_document) {
                let id = id_bytes(document);
                if chosen(info, &id) {
                    documents.push(document.to_owned());
                    tally.copied(Copied { collection, id, at: now });
                }
            }
            if !documents.is_empty() {
                insert_raw(&migration.destination, &info.namespace.before_cutover(), &documents).await?;
            }
        }
        Ok(())
    }

    /// The turn of a document, if each has its own.
    pub fn turn_of(&self, info: &CollectionInfo, id: &[u8]) -> usize {
        let collection = uuid_of(info);
        let own = if self.whole_collections { Vec::new() } else { same_whatever_its_type(id) };
        let hash = collection
            .bytes()
            .iter()
            .chain(&own)
            .fold(17_usize, |hash, byte| (hash ^ usize::from(*byte)).wrapping_mul(0x0100_0000_01b3));
        (hash >> 8) % self.turns
    }

    /// Builds the indexes that the listing told of.
    pub async fn finish(&self, migration: &Migration<'_>) {
        for info in &self.collections {
            let namespace = info.namespace.before_cutover();
            build_indexes(Fenced::alone(&migration.destination), &namespace, None, &info.indexes).await.expect("built");
        }
    }
}

/// A number may change its type while it stays the `_id` of its document (mapReduce makes doubles of all), which must not
/// change the document's turn: it could miss both.
fn same_whatever_its_type(id: &[u8]) -> Vec<u8> {
    let key = RawDocument::from_bytes(id).map(|id| IdKey::of_document(id, WriteOrder::ByDocument));
    match key {
        Ok(IdKey::Number(number)) => number.to_le_bytes().to_vec(),
        Ok(IdKey::Unfoldable) | Err(_) => Vec::new(),
        Ok(IdKey::ObjectId(_) | IdKey::Simple(_)) => id.to_vec(),
    }
}

fn uuid_of(info: &CollectionInfo) -> CollectionUuid {
    info.uuid.expect("a collection has a UUID")
}

fn plan(info: &CollectionInfo) -> CollectionPlan {
    CollectionPlan {
        uuid: uuid_of(info),
        namespace: info.namespace.clone(),
        options: info.options.as_bytes().to_vec(),
        indexes: info.indexes.iter().map(|index| ByteBuf::from(index.as_bytes())).collect(),
        size_bytes: info.size_bytes,
        document_count: info.document_count,
    }
}

/// Type and bytes of the `_id`.
pub fn id_bytes(document: &RawDocument) -> Vec<u8> {
    let mut id = bson::RawDocumentBuf::new();
    if let Ok(Some(value)) = document.get("_id") {
        id.append(bson::raw::cstr!("_id"), value);
    }
    id.into_bytes()
}
