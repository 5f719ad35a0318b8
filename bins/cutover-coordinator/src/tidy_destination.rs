//! What is taken off the destination when a cutover is taken back or a migration ends.

use bson::doc;
use mongoferry_mongo::{Cluster, MongoError, revert_preparation};
use mongoferry_protocol::Namespace;

/// Drops the database `mongoferry`: checkpoints, map and marker.
pub async fn remove_own_records(destination: &Cluster) -> Result<(), MongoError> {
    let drop = doc! {"dropDatabase": 1, "writeConcern": {"w": "majority"}};
    destination.command(Namespace::OWN_DATABASE, drop).await.map(|_| ())
}

/// Indexes that were prepared to become unique accept everything again.
pub async fn undo_preparation(source: &Cluster, destination: &Cluster) -> Result<(), MongoError> {
    revert_preparation(source, destination).await.map(|_| ())
}
