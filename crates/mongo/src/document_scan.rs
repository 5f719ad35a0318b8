//! Reads documents for comparing them: a whole collection in storage order, or some documents by `_id`.
//!
//! Mostly by name, so that no privilege beyond `find` is needed; a collection that does not exist reads as empty. What is read
//! is on a majority and not older than the given optime. Documents are handed out as the server sent them.

use bson::{RawArray, RawBson, RawDocument, RawDocumentBuf, raw::cstr, rawdoc};
use futures_util::StreamExt;
use mongodb::{
    options::RunCursorCommandOptions,
    raw_batch_cursor::{RawBatch, RawBatchCursor},
};
use mongoferry_protocol::{CollectionUuid, Namespace, Optime};

use crate::{catalog::uuid_binary, connection::Cluster, error::MongoError, optimes::timestamp, raw_id::one_of};

/// What a batch should hold.
const BATCH_BYTES: u64 = 2 * 1024 * 1024;
const USUAL_BATCH: u32 = 1_000;
const BY_IDS_BATCH: u32 = 1_000;
const IDS_BATCH: u32 = 20_000;

/// An open scan. If it ends in [`MongoError::CursorLost`] or [`MongoError::Interrupted`], it must be begun anew.
pub struct DocumentScan {
    cluster: Cluster,
    cursor: RawBatchCursor,
    what: String,
}

/// Documents of a scan, still in the server's reply.
pub struct ScannedBatch {
    cluster: Cluster,
    reply: RawBatch,
    what: String,
}

impl DocumentScan {
    /// Begins to read all of `namespace`. `average_document_bytes` (0 if unknown) sets how many make a batch.
    pub async fn whole(
        cluster: &Cluster,
        namespace: &Namespace,
        not_before: Optime,
        average_document_bytes: u64,
    ) -> Result<Self, MongoError> {
        let batch_size = match average_document_bytes {
            0 => USUAL_BATCH,
            average => (BATCH_BYTES / average).clamp(16, 20_000) as u32,
        };
        let mut find = find(namespace.collection().into(), not_before, batch_size);
        find.append(cstr!("hint"), rawdoc! {"$natural": 1});
        Self::open(cluster, namespace, find, batch_size).await
    }

    /// Begins to read all of the collection of this UUID, which was called `namespace`. [`MongoError::CollectionGone`] if it is gone.
    pub async fn whole_of(
        cluster: &Cluster,
        namespace: &Namespace,
        uuid: CollectionUuid,
        not_before: Optime,
    ) -> Result<Self, MongoError> {
        let mut find = find(uuid_binary(uuid).into(), not_before, USUAL_BATCH);
        find.append(cstr!("hint"), rawdoc! {"$natural": 1});
        Self::open(cluster, namespace, find, USUAL_BATCH).await
    }

    /// Begins to read the `_id`s of `namespace`, as documents `{_id: …}` in the order of the collection.
    pub async fn ids(cluster: &Cluster, namespace: &Namespace, not_before: Optime) -> Result<Self, MongoError> {
        let mut find = find(namespace.collection().into(), not_before, IDS_BATCH);
        find.append(cstr!("hint"), rawdoc! {"$natural": 1});
        find.append(cstr!("projection"), rawdoc! {"_id": 1});
        Self::open(cluster, namespace, find, IDS_BATCH).await
    }

    /// Begins to read the documents whose `_id` is one of `ids` (each a document `{_id: …}`); together they must fit a
    /// command.
    pub async fn by_ids(
        cluster: &Cluster,
        namespace: &Namespace,
        not_before: Optime,
        ids: impl IntoIterator<Item = &RawDocument>,
    ) -> Result<Self, MongoError> {
        let find = find(namespace.collection().into(), not_before, BY_IDS_BATCH);
        Self::open_by_ids(cluster, namespace.database(), find, format!("find on {namespace}"), ids).await
    }

    /// As [`Self::by_ids`], whatever the collection is called by now. [`MongoError::CollectionGone`] if it is gone.
    pub async fn by_ids_of(
        cluster: &Cluster,
        database: &str,
        uuid: CollectionUuid,
        not_before: Optime,
        ids: impl IntoIterator<Item = &RawDocument>,
    ) -> Result<Self, MongoError> {
        let find = find(uuid_binary(uuid).into(), not_before, BY_IDS_BATCH);
        Self::open_by_ids(cluster, database, find, format!("find on collection {uuid} of {database}"), ids).await
    }

    async fn open_by_ids(
        cluster: &Cluster,
        database: &str,
        mut find: RawDocumentBuf,
        what: String,
        ids: impl IntoIterator<Item = &RawDocument>,
    ) -> Result<Self, MongoError> {
        let filter = one_of(ids).ok_or_else(|| cluster.unexpected(&what, "a document without _id"))?;
        find.append(cstr!("filter"), filter);
        Self::open_in(cluster, database, find, BY_IDS_BATCH, what).await
    }

    async fn open(
        cluster: &Cluster,
        namespace: &Namespace,
        find: RawDocumentBuf,
        batch_size: u32,
    ) -> Result<Self, MongoError> {
        Self::open_in(cluster, namespace.database(), find, batch_size, format!("find on {namespace}")).await
    }

    async fn open_in(
        cluster: &Cluster,
        database: &str,
        find: RawDocumentBuf,
        batch_size: u32,
        what: String,
    ) -> Result<Self, MongoError> {
        let options = RunCursorCommandOptions::builder().batch_size(batch_size).build();
        let cursor = cluster.database(database).run_raw_cursor_command(find).with_options(options).batch().await;
        let cursor = cursor.map_err(|error| cluster.explain(&what, &error))?;
        Ok(Self { cluster: cluster.clone(), cursor, what })
    }

    /// The next documents; `None` at the end.
    pub async fn next(&mut self) -> Result<Option<ScannedBatch>, MongoError> {
        match self.cursor.next().await {
            None => Ok(None),
            Some(reply) => {
                let reply = reply.map_err(|error| self.cluster.explain(&self.what, &error))?;
                Ok(Some(ScannedBatch { cluster: self.cluster.clone(), reply, what: self.what.clone() }))
            }
        }
    }
}

impl ScannedBatch {
    /// The documents as one array, to be handed on as it is.
    pub fn array(&self) -> Result<&RawArray, MongoError> {
        self.reply.doc_slices().map_err(|error| self.cluster.explain(&self.what, &error))
    }

    /// The documents in the order they came.
    pub fn documents(&self) -> Result<impl Iterator<Item = Result<&RawDocument, MongoError>>, MongoError> {
        let array = self.reply.doc_slices().map_err(|error| self.cluster.explain(&self.what, &error))?;
        Ok(array.into_iter().map(|element| {
            let element = element.map_err(|error| self.cluster.unexpected(&self.what, error))?;
            element.as_document().ok_or_else(|| self.cluster.unexpected(&self.what, "an entry that is no document"))
        }))
    }
}

fn find(collection: RawBson, not_before: Optime, batch_size: u32) -> RawDocumentBuf {
    let mut read_concern = rawdoc! {"level": "majority"};
    if not_before != Optime::ZERO {
        read_concern.append(cstr!("afterClusterTime"), timestamp(not_before));
    }
    rawdoc! {"find": collection, "batchSize": i64::from(batch_size), "readConcern": read_concern}
}
