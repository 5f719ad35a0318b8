//! What is taken off the destination when a migration ends.

use bson::doc;
use mongoferry_mongo::{Cluster, MongoError};
use mongoferry_protocol::Namespace;

/// Drops the database `mongoferry`: checkpoints, map and marker.
pub async fn remove_own_records(destination: &Cluster) -> Result<(), MongoError> {
    let drop = doc! {"dropDatabase": 1, "writeConcern": {"w": "majority"}};
    destination.command(Namespace::OWN_DATABASE, drop).await.map(|_| ())
}
