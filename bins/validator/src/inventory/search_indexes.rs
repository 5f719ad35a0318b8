//! How many search indexes stay behind. They live beside the database, at services that offer them.

use bson::{Bson, doc};
use futures_util::{StreamExt, stream};
use mongoferry_mongo::{Cluster, CollectionInfo, MongoError};

/// The server's codes for an aggregation stage it does not know, and for a search that is not set up.
const NONE_HERE: [i32; 4] = [40324, 31082, 115, 6047401];
const CONCURRENCY: usize = 8;

/// `None` where it could not be told.
pub(super) async fn count(source: &Cluster, collections: &[CollectionInfo]) -> Option<u64> {
    let Some(first) = collections.first() else { return Some(0) };
    match of_collection(source, first).await {
        Err(error) if error.server_code().is_some_and(|code| NONE_HERE.contains(&code)) => return Some(0),
        Err(_) => return None,
        Ok(_) => {}
    }
    let counts = stream::iter(collections).map(|info| of_collection(source, info));
    let counts: Vec<_> = counts.buffer_unordered(CONCURRENCY).collect().await;
    counts.into_iter().map(Result::ok).sum()
}

async fn of_collection(source: &Cluster, info: &CollectionInfo) -> Result<u64, MongoError> {
    let pipeline = vec![doc! {"$listSearchIndexes": {}}];
    let command = doc! {"aggregate": info.namespace.collection(), "pipeline": pipeline, "cursor": {}};
    let reply = source.command(info.namespace.database(), command).await?;
    let batch = reply.get("cursor").and_then(Bson::as_document).and_then(|cursor| cursor.get_array("firstBatch").ok());
    Ok(batch.map_or(0, Vec::len) as u64)
}
