//! MF-V26: no other migration is under way, or has left something behind, on this destination.

use bson::{Bson, doc};
use mongoferry_mongo::{Cluster, MongoError};
use mongoferry_protocol::{Finding, MigrationId, Namespace};

use crate::check::{Check, Trouble};

/// `own` is the migration that is to begin, where that is known.
pub(crate) async fn check(destination: &Cluster, own: Option<&MigrationId>) -> Finding {
    let check = Check::new("MF-V26", "destination: no other migration");
    match marker(destination).await {
        Ok(None) => check.passes("none"),
        Ok(Some(id)) if own.is_some_and(|own| own.as_str() == id) => check.passes(format!("{id}, which is this one")),
        Ok(Some(id)) => check.fails(Trouble::new(
            format!("database {} says that migration {id:?} writes here", Namespace::OWN_DATABASE),
            "Two migrations into one destination would overwrite each other's changes.",
            format!(
                "Let migration {id:?} come to its end, or cancel it. If it is long gone, drop the database {} on the \
                 destination.",
                Namespace::OWN_DATABASE
            ),
        )),
        Err(error) => check.fails_by(&error),
    }
}

async fn marker(destination: &Cluster) -> Result<Option<String>, MongoError> {
    let find = doc! {"find": "marker", "filter": {"_id": "migration"}, "limit": 1, "singleBatch": true};
    let reply = destination.command(Namespace::OWN_DATABASE, find).await?;
    let batch = reply.get_document("cursor").ok().and_then(|cursor| cursor.get_array("firstBatch").ok());
    let marker = batch.and_then(|batch| batch.first()).and_then(Bson::as_document);
    Ok(marker.map(|marker| marker.get_str("id").unwrap_or("of an unreadable name").to_owned()))
}
