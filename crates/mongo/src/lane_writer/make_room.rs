//! What is done about an index that refuses a document which is only on its way to what it was on the source.
//!
//! A change that is replayed over a later copy can make two fields arrays that never were at the same time on the source. The
//! indexes that combine several fields then go; the finalization finds them missing and builds them again.

use bson::{RawDocument, doc};
use mongoferry_protocol::Namespace;

use crate::{catalog::list_indexes, connection::Cluster, error::MongoError};

const INDEX_NOT_FOUND: i32 = 27;

/// Drops the compound indexes of a collection. False if there is none.
pub(super) async fn make_room(destination: &Cluster, namespace: &Namespace) -> Result<bool, MongoError> {
    let mut dropped = false;
    for index in list_indexes(destination, namespace).await? {
        if !is_compound(&index) {
            continue;
        }
        let name = index.get_str("name").map_err(|error| destination.unexpected("listIndexes", error))?;
        tracing::warn!(%namespace, index = name, "an index can't hold a document on its way; it is built again at the end");
        let command =
            doc! { "dropIndexes": namespace.collection(), "index": name, "writeConcern": { "w": "majority" } };
        match destination.command(namespace.database(), command).await {
            // Another lane was faster.
            Err(MongoError::Command { cause, .. }) if cause.code == Some(INDEX_NOT_FOUND) => {}
            other => drop(other?),
        }
        dropped = true;
    }
    Ok(dropped)
}

fn is_compound(index: &RawDocument) -> bool {
    index.get_document("key").is_ok_and(|key| key.iter().count() > 1)
}
