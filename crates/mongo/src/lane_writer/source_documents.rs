//! Documents of the source, for the few that the applier can't bring up to date by their changes alone.

use bson::{RawDocumentBuf, rawdoc};
use futures_util::StreamExt;
use mongodb::options::RunCursorCommandOptions;
use mongoferry_protocol::{CollectionUuid, Optime};
use tokio::sync::OnceCell;

use crate::{
    applier_state::ApplyError, catalog::uuid_binary, connection::Cluster, error::MongoError, optimes::timestamp,
    raw_id::one_of,
};

/// So many `_id`s fit into a command for certain, and so many documents into a reply or two.
const IDS_PER_COMMAND: usize = 500;
const BATCH_SIZE: u32 = 1_000;

/// The source, connected to when a document is first needed.
pub struct SourceDocuments {
    uri: Option<String>,
    app_name: String,
    cluster: OnceCell<Cluster>,
}

impl SourceDocuments {
    /// Without `uri`, reading fails with [`ApplyError::SourceNeeded`].
    pub fn new(uri: Option<&str>, app_name: &str) -> Self {
        Self { uri: uri.map(ToOwned::to_owned), app_name: app_name.to_owned(), cluster: OnceCell::new() }
    }

    /// Whether the source is known.
    pub fn is_known(&self) -> bool {
        self.uri.is_some()
    }

    /// Closes the connection, if there is one.
    pub async fn shutdown(&self) {
        if let Some(cluster) = self.cluster.get() {
            cluster.clone().shutdown().await;
        }
    }

    /// Those of the documents with these `_id`s (each a document `{_id: value}`) that stand in the collection, as a majority has
    /// them at `not_before` or later. None if the collection is gone.
    pub(crate) async fn read(
        &self,
        database: &str,
        collection: CollectionUuid,
        ids: &[RawDocumentBuf],
        not_before: Optime,
    ) -> Result<Vec<RawDocumentBuf>, ApplyError> {
        let cluster = self.cluster.get_or_try_init(|| self.connect()).await?;
        let mut documents = Vec::new();
        for ids in ids.chunks(IDS_PER_COMMAND) {
            match read_some(cluster, database, collection, ids, not_before).await {
                Ok(found) => documents.extend(found),
                Err(MongoError::CollectionGone { .. }) => return Ok(Vec::new()),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(documents)
    }

    async fn connect(&self) -> Result<Cluster, ApplyError> {
        let uri = self.uri.as_deref().ok_or(ApplyError::SourceNeeded)?;
        Ok(Cluster::connect(uri, &self.app_name).await?)
    }
}

async fn read_some(
    cluster: &Cluster,
    database: &str,
    collection: CollectionUuid,
    ids: &[RawDocumentBuf],
    not_before: Optime,
) -> Result<Vec<RawDocumentBuf>, MongoError> {
    let what = format!("find on collection {collection} of {database}");
    let filter = one_of(ids.iter().map(|id| &**id));
    let filter = filter.ok_or_else(|| cluster.unexpected(&what, "a document without _id"))?;
    let find = rawdoc! {
        "find": uuid_binary(collection),
        "filter": filter,
        "batchSize": i64::from(BATCH_SIZE),
        "readConcern": { "level": "majority", "afterClusterTime": timestamp(not_before) },
    };
    let options = RunCursorCommandOptions::builder().batch_size(BATCH_SIZE).build();
    let cursor = cluster.database(database).run_raw_cursor_command(find).with_options(options).batch().await;
    let mut cursor = cursor.map_err(|error| cluster.explain(&what, &error))?;
    let mut documents = Vec::new();
    while let Some(reply) = cursor.next().await {
        let reply = reply.map_err(|error| cluster.explain(&what, &error))?;
        for document in reply.doc_slices().map_err(|error| cluster.explain(&what, &error))? {
            let document = document.map_err(|error| cluster.unexpected(&what, error))?;
            let document =
                document.as_document().ok_or_else(|| cluster.unexpected(&what, "an entry that is no document"))?;
            documents.push(document.to_owned());
        }
    }
    Ok(documents)
}
