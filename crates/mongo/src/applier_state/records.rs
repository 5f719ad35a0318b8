//! The applier's records on the destination, database `mongoferry`, as documents and commands.
//!
//! - `lanes` `{_id, term, transaction, optime, index, sequence, wall_ms, changes, sessions}`: one per lane, its checkpoint
//!   and who may write it. `transaction` names the last transaction that touched it, `sessions` those of the term's writer.
//! - `collections` `{_id: source UUID, ns, order}`: where it stands, and as [`WriteOrder`] spells it
//! - `claim` `{_id: "barrier", optime, index, term, kind, plan}`, while a catalog change is under way
//! - `marker` `{_id: "migration", …}`: whose destination this is

use bson::{Binary, Document, RawDocumentBuf, Timestamp, doc, oid::ObjectId, rawdoc, spec::BinarySubtype};
use mongoferry_protocol::{ChangePosition, CollectionUuid, Namespace, Optime, WriteOrder};

use super::{Claim, LaneCheckpoint, MapChange, MappedCollection};
use crate::{
    connection::Cluster,
    ddl_executor::DdlPlan,
    error::MongoError,
    lane_writer::transaction::{Statement, first_write_error, matched},
    optimes::{optime, timestamp},
};

pub(crate) const LANES: &str = "lanes";
pub(crate) const COLLECTIONS: &str = "collections";
pub(crate) const CLAIM: &str = "claim";
pub(crate) const MARKER: &str = "marker";
pub(crate) const CLAIM_ID: &str = "barrier";
pub(crate) const MARKER_ID: &str = "migration";

/// The first statement of a lane's transaction: fails to match if the term has ended, or if this very transaction is
/// committed already.
pub(crate) fn advance_lane(
    lane: u32,
    term: i64,
    transaction: ObjectId,
    checkpoint: LaneCheckpoint,
    changes: u64,
) -> Statement {
    let mut set = checkpoint_fields(checkpoint);
    set.append(bson::raw::cstr!("transaction"), transaction);
    let update = rawdoc! { "$set": set, "$inc": { "changes": signed(changes) } };
    fence(rawdoc! { "_id": signed(u64::from(lane)), "term": term, "transaction": { "$ne": transaction } }, update, 1)
}

/// As [`advance_lane`] without moving the checkpoint. It must write something: only then does a new term exclude it.
pub(crate) fn touch_lane(lane: u32, term: i64, transaction: ObjectId) -> Statement {
    let query = rawdoc! { "_id": signed(u64::from(lane)), "term": term, "transaction": { "$ne": transaction } };
    fence(query, rawdoc! { "$set": { "transaction": transaction } }, 1)
}

/// Touches all lanes.
pub(super) fn touch_all(lanes: usize, term: i64, transaction: ObjectId) -> Statement {
    let query = rawdoc! { "term": term, "transaction": { "$ne": transaction } };
    fence(query, rawdoc! { "$set": { "transaction": transaction } }, lanes)
}

/// Moves all lanes to where a barrier ends.
pub(super) fn advance_all(lanes: usize, term: i64, transaction: ObjectId, checkpoint: LaneCheckpoint) -> Statement {
    let mut set = checkpoint_fields(checkpoint);
    set.append(bson::raw::cstr!("transaction"), transaction);
    let query = rawdoc! { "term": term, "transaction": { "$ne": transaction } };
    fence(query, rawdoc! { "$set": set }, lanes)
}

/// Counts a change that is no lane's.
pub(super) fn count_change(term: i64) -> Statement {
    fence(rawdoc! { "_id": 0_i64, "term": term }, rawdoc! { "$inc": { "changes": 1_i64 } }, 1)
}

/// Moves lanes that have nothing to write, outside a transaction; doing it again changes nothing.
pub(super) fn advance_idle(lanes: &[u32], term: i64, checkpoint: LaneCheckpoint) -> Document {
    let lanes: Vec<i64> = lanes.iter().map(|lane| i64::from(*lane)).collect();
    let set = Document::try_from(checkpoint_fields(checkpoint)).expect("made of valid values");
    doc! {
        "update": LANES,
        "updates": [{ "q": { "_id": { "$in": lanes }, "term": term }, "u": { "$set": set }, "multi": true }],
        "writeConcern": { "w": "majority" },
    }
}

fn fence(query: RawDocumentBuf, update: RawDocumentBuf, lanes: usize) -> Statement {
    let command = rawdoc! { "update": LANES, "updates": [{ "q": query, "u": update, "multi": lanes > 1 }] };
    own_statement(command, Some(lanes as i64))
}

/// How many lanes carry the mark of this transaction. Waits until a majority has it.
pub(crate) async fn confirm(cluster: &Cluster, term: i64, transaction: ObjectId) -> Result<i64, MongoError> {
    let query = doc! { "term": term, "transaction": transaction };
    let command = doc! {
        "update": LANES,
        "updates": [{ "q": query, "u": { "$set": { "transaction": transaction } }, "multi": true }],
        "writeConcern": { "w": "majority" },
    };
    write(cluster, command).await
}

/// Runs a write on the own database and returns how many documents it matched.
pub(crate) async fn write(cluster: &Cluster, command: Document) -> Result<i64, MongoError> {
    let reply = cluster.command(Namespace::OWN_DATABASE, command).await?;
    match first_write_error(cluster, "update of mongoferry's records", &reply) {
        Some(error) => Err(error),
        None => Ok(matched(&reply)),
    }
}

pub(super) fn own_statement(command: RawDocumentBuf, must_match: Option<i64>) -> Statement {
    let what = "update of mongoferry's records".to_owned();
    let namespace = Namespace::new(Namespace::OWN_DATABASE, "records");
    Statement { namespace, command, what, must_match, first_step: 0 }
}

pub(super) fn put_claim(claim: &Claim, term: i64) -> Statement {
    let plan = Binary { subtype: BinarySubtype::Generic, bytes: claim.plan.to_bytes() };
    let replacement = rawdoc! {
        "_id": CLAIM_ID, "optime": timestamp(claim.position.optime), "index": i64::from(claim.position.index),
        "term": term, "kind": claim.plan.kind.clone(), "plan": plan,
    };
    let update = rawdoc! { "q": { "_id": CLAIM_ID }, "u": replacement, "upsert": true };
    own_statement(rawdoc! { "update": CLAIM, "updates": [update] }, None)
}

pub(super) fn remove_claim() -> Statement {
    own_statement(rawdoc! { "delete": CLAIM, "deletes": [{ "q": { "_id": CLAIM_ID }, "limit": 1 }] }, None)
}

pub(super) fn change_map(change: &MapChange) -> Statement {
    match change {
        MapChange::Set(uuid, mapped) => {
            let record = mapped_record(*uuid, mapped);
            let update = rawdoc! { "q": { "_id": uuid_binary(*uuid) }, "u": record, "upsert": true };
            own_statement(rawdoc! { "update": COLLECTIONS, "updates": [update] }, None)
        }
        MapChange::Remove(uuid) => {
            let delete = rawdoc! { "q": { "_id": uuid_binary(*uuid) }, "limit": 1 };
            own_statement(rawdoc! { "delete": COLLECTIONS, "deletes": [delete] }, None)
        }
    }
}

fn checkpoint_fields(checkpoint: LaneCheckpoint) -> RawDocumentBuf {
    rawdoc! {
        "optime": timestamp(checkpoint.position.optime),
        "index": i64::from(checkpoint.position.index),
        "sequence": signed(checkpoint.sequence),
        "wall_ms": signed(checkpoint.wall_ms),
    }
}

/// The fields of a lane that has done nothing yet.
pub(super) fn new_lane(checkpoint: LaneCheckpoint) -> Document {
    let mut record = doc! { "term": 0_i64 };
    record.extend(Document::try_from(checkpoint_fields(checkpoint)).expect("made of valid values"));
    record.insert("changes", 0_i64);
    record
}

pub(super) fn lane_checkpoint(record: &Document) -> Option<LaneCheckpoint> {
    Some(LaneCheckpoint {
        position: position(record)?,
        sequence: record.get_i64("sequence").ok()?.try_into().ok()?,
        wall_ms: record.get_i64("wall_ms").ok()?.try_into().ok()?,
    })
}

pub(super) fn claim(record: &Document) -> Option<Claim> {
    let plan = DdlPlan::from_bytes(record.get_binary_generic("plan").ok()?)?;
    Some(Claim { position: position(record)?, plan })
}

pub(super) fn mapped_record(uuid: CollectionUuid, mapped: &MappedCollection) -> RawDocumentBuf {
    let order = match mapped.order {
        WriteOrder::ByDocument => "by-document",
        WriteOrder::UnderCollation => "under-collation",
        WriteOrder::Whole => "whole",
    };
    rawdoc! { "_id": uuid_binary(uuid), "ns": mapped.namespace.to_string(), "order": order }
}

pub(super) fn collection(record: &Document) -> Option<(CollectionUuid, MappedCollection)> {
    let Some(bson::Bson::Binary(uuid)) = record.get("_id") else { return None };
    let uuid = CollectionUuid::from_bytes(uuid.bytes.as_slice().try_into().ok()?);
    let order = match record.get_str("order").ok()? {
        "by-document" => WriteOrder::ByDocument,
        "under-collation" => WriteOrder::UnderCollation,
        "whole" => WriteOrder::Whole,
        _ => return None,
    };
    Some((uuid, MappedCollection { namespace: record.get_str("ns").ok()?.parse().ok()?, order }))
}

pub(super) fn optime_field(record: &Document, name: &str) -> Option<Optime> {
    optime(record.get(name)?)
}

fn position(record: &Document) -> Option<ChangePosition> {
    let index = record.get_i64("index").ok()?.try_into().ok()?;
    Some(ChangePosition::new(optime_field(record, "optime")?, index))
}

pub(super) fn uuid_binary(uuid: CollectionUuid) -> Binary {
    crate::catalog::uuid_binary(uuid)
}

pub(super) fn optime_value(optime: Optime) -> Timestamp {
    timestamp(optime)
}

/// BSON has no unsigned numbers; none of these comes near the limit.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
