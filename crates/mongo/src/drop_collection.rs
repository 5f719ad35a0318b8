//! Drops one collection or view of the destination: that of the given UUID, and no later one of its name.

use bson::{Document, doc};
use mongoferry_protocol::DropTarget;

use crate::{
    catalog::uuid_binary, connection::Cluster, error::MongoError, facts::ServerVersion, fenced::Fenced,
    optimes::first_of,
};

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DropOutcome {
    Dropped,
    /// It was gone already.
    Gone,
    /// Something else stands there by now, and was left alone.
    Replaced,
}

const UUID_MISMATCH: i32 = 361;

/// Safe to repeat; what a majority thinks of it is the caller's to find out. Servers from 6.0 on compare the UUID as they drop; older ones do not (4.2 and 4.4
/// take the field and ignore it, 5.0 refuses it), so there only the look right before the drop tells.
pub async fn drop_collection(
    destination: Fenced<'_>,
    version: ServerVersion,
    target: &DropTarget,
) -> Result<DropOutcome, MongoError> {
    let database = target.namespace.database();
    match standing(destination.cluster(), target).await? {
        None => return Ok(DropOutcome::Gone),
        Some(entry) if !is_target(&entry, target) => return Ok(DropOutcome::Replaced),
        Some(_) => {}
    }
    let mut command = doc! {"drop": target.namespace.collection()};
    if let Some(uuid) = target.uuid.filter(|_| version.is_at_least(6, 0)) {
        command.insert("collectionUUID", uuid_binary(uuid));
    }
    match destination.change(database, command).await {
        Ok(_) => Ok(DropOutcome::Dropped),
        Err(MongoError::CollectionGone { .. }) => Ok(DropOutcome::Gone),
        Err(error) if error.server_code() == Some(UUID_MISMATCH) => Ok(DropOutcome::Replaced),
        Err(error) => Err(error),
    }
}

async fn standing(destination: &Cluster, target: &DropTarget) -> Result<Option<Document>, MongoError> {
    let command = doc! {"listCollections": 1, "filter": {"name": target.namespace.collection()}};
    let reply = destination.command(target.namespace.database(), command).await?;
    Ok(first_of(&reply).cloned())
}

/// A view has no UUID, and neither has a time-series collection under its own name.
fn is_target(entry: &Document, target: &DropTarget) -> bool {
    let uuid = entry.get_document("info").ok().and_then(|info| info.get("uuid"));
    match target.uuid {
        Some(wanted) => uuid.is_some_and(|found| *found == bson::Bson::Binary(uuid_binary(wanted))),
        None => uuid.is_none(),
    }
}
