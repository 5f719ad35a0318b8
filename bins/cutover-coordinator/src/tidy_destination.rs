//! What is taken off the destination when a migration ends.

use bson::{Bson, Document, doc};
use mongoferry_mongo::{Cluster, MongoError};
use mongoferry_protocol::{MigrationSettings, Namespace};

use crate::marker;

/// Drops the database `mongoferry` (checkpoints, map and marker) if it is this migration's: one that was refused because
/// another is under way there must not take that one's checkpoints with it.
pub async fn remove_own_records(destination: &Cluster, settings: &MigrationSettings) -> Result<(), MongoError> {
    if !is_marked_as_ours(destination, settings).await? {
        return Ok(());
    }
    let drop = doc! {"dropDatabase": 1, "writeConcern": {"w": "majority", "wtimeout": 5_000}};
    destination.command(Namespace::OWN_DATABASE, drop).await.map(|_| ())
}

async fn is_marked_as_ours(destination: &Cluster, settings: &MigrationSettings) -> Result<bool, MongoError> {
    let find = doc! {"find": marker::COLLECTION, "filter": {"_id": marker::ID}, "limit": 1, "singleBatch": true};
    let reply = destination.command(Namespace::OWN_DATABASE, find).await?;
    let batch = reply.get_document("cursor").and_then(|cursor| cursor.get_array("firstBatch"));
    let standing: Option<&Document> = batch.ok().and_then(|batch| batch.first()).and_then(Bson::as_document);
    Ok(standing.is_some_and(|standing| marker::is_ours(standing, settings)))
}
