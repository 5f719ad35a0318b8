//! Lays the applier's records out on the destination. Doing it again changes nothing.

use bson::{Document, RawArrayBuf, doc, raw::cstr, rawdoc};
use mongoferry_protocol::{ChangePosition, CollectionUuid, MigrationSettings, Namespace, Optime, StartPoint};

use super::{
    ApplyError, LaneCheckpoint, MappedCollection,
    records::{self, CLAIM, COLLECTIONS, LANES, MARKER, MARKER_ID},
};
use crate::{
    connection::Cluster,
    error::MongoError,
    lane_writer::transaction::{NotCommitted, Statement, transact, transaction_session},
};

/// What the records begin with.
#[derive(Clone, Debug)]
pub struct Beginning {
    pub start: StartPoint,
    /// Each collection that was listed.
    pub collections: Vec<(CollectionUuid, MappedCollection)>,
    /// Documents were copied at or before this optime, as far as is known: up to it, they may be ahead of the changes.
    pub replay_until: Optime,
}

const NAMESPACE_EXISTS: i32 = 48;
/// Documents `{_id: uuid, ns}` in one insert; far below 16 MiB.
const COLLECTIONS_PER_COMMAND: usize = 10_000;

/// Makes the destination this migration's own, if it is nobody's: an error if another's records stand there.
pub async fn mark_destination(destination: &Cluster, settings: &MigrationSettings) -> Result<(), ApplyError> {
    for name in [LANES, COLLECTIONS, CLAIM, MARKER] {
        // A collection that is created implicitly within a transaction would make concurrent transactions fail.
        let command = doc! { "create": name, "writeConcern": { "w": "majority" } };
        match destination.command(Namespace::OWN_DATABASE, command).await {
            Err(MongoError::Command { cause, .. }) if cause.code == Some(NAMESPACE_EXISTS) => {}
            other => drop(other?),
        }
    }
    let update = doc! { "q": { "_id": MARKER_ID }, "u": { "$setOnInsert": marker(settings) }, "upsert": true };
    let command = doc! { "update": MARKER, "updates": [update], "writeConcern": { "w": "majority" } };
    records::write(destination, command).await?;
    standing_marker(destination, settings).await.map(drop)
}

/// Whether [`initialise`] was done. An error if another migration's records stand there. Writes nothing.
pub async fn is_initialised(destination: &Cluster, settings: &MigrationSettings) -> Result<bool, ApplyError> {
    let marker = standing_marker(destination, settings).await?;
    Ok(marker.is_some_and(|marker| marker.get_bool("collections_listed").unwrap_or(false)))
}

/// The marker, which must be this migration's. Its name alone would not tell it from an earlier one of that name.
async fn standing_marker(destination: &Cluster, settings: &MigrationSettings) -> Result<Option<Document>, ApplyError> {
    let Some(standing) = super::find_one(destination, MARKER, MARKER_ID).await? else { return Ok(None) };
    let ours = marker(settings);
    if ["id", "created_at_ms"].into_iter().all(|field| standing.get(field) == ours.get(field)) {
        return Ok(Some(standing));
    }
    Err(ApplyError::OtherMigration {
        cluster: destination.hosts_label().to_owned(),
        found: format!(
            "migration {} from {}",
            standing.get_str("id").unwrap_or("of unknown name"),
            standing.get_str("source").unwrap_or("an unknown source"),
        ),
    })
}

/// Lanes at the start point, and the map of collections: each written only if it does not stand already.
pub async fn initialise(
    destination: &Cluster,
    settings: &MigrationSettings,
    beginning: &Beginning,
) -> Result<(), ApplyError> {
    mark_destination(destination, settings).await?;
    let position = ChangePosition::end_of(beginning.start.apply_after);
    let checkpoint = LaneCheckpoint { position, ..LaneCheckpoint::default() };
    for lane in 0..settings.lanes {
        let update = doc! {
            "q": { "_id": i64::from(lane) },
            "u": { "$setOnInsert": records::new_lane(checkpoint) },
            "upsert": true,
        };
        let command = doc! { "update": LANES, "updates": [update], "writeConcern": { "w": "majority" } };
        records::write(destination, command).await?;
    }
    list_collections_once(destination, beginning).await
}

/// All or nothing, and never again: what catalog changes make of the map must not be overwritten.
async fn list_collections_once(destination: &Cluster, beginning: &Beginning) -> Result<(), ApplyError> {
    let mut session = transaction_session(destination).await?;
    let statements = || {
        let inserts = beginning.collections.chunks(COLLECTIONS_PER_COMMAND).map(insert_collections);
        std::iter::once(set_listed(beginning.replay_until)).chain(inserts)
    };
    match transact(destination, &mut session, false, statements).await {
        Ok(_) | Err(NotCommitted::Fenced) => Ok(()),
        Err(reason) => Err(reason.into_error(|| ApplyError::RecordsDamaged {
            cluster: destination.hosts_label().to_owned(),
            detail: "no marker".into(),
        })),
    }
}

fn set_listed(replay_until: Optime) -> Statement {
    let set = rawdoc! { "collections_listed": true, "replay_until": records::optime_value(replay_until) };
    let query = rawdoc! { "_id": MARKER_ID, "collections_listed": { "$ne": true } };
    let command = rawdoc! { "update": MARKER, "updates": [{ "q": query, "u": { "$set": set } }] };
    records::own_statement(command, Some(1))
}

fn insert_collections(collections: &[(CollectionUuid, MappedCollection)]) -> Statement {
    let record = |(uuid, mapped): &(CollectionUuid, MappedCollection)| records::mapped_record(*uuid, mapped);
    let mut command = rawdoc! { "insert": COLLECTIONS, "ordered": false };
    command.append(cstr!("documents"), collections.iter().map(record).collect::<RawArrayBuf>());
    records::own_statement(command, None)
}

fn marker(settings: &MigrationSettings) -> Document {
    doc! {
        "id": settings.id.to_string(),
        "source": format!("{}/{}", settings.source.replica_set, settings.source.hosts.join(",")),
        "created_at_ms": i64::try_from(settings.created_at_ms).unwrap_or(i64::MAX),
    }
}
