//! Which documents somebody else wrote on the destination, by its oplog.
//!
//! mongoferry changes documents there in transactions that begin with a record of its own database; the server leaves those out.
//! A part of a transaction of ours that takes several entries may be among what comes: whoever looks at a document too often
//! misses nothing.

use bson::{
    Document, RawDocument, RawDocumentBuf, Regex, doc,
    raw::{CStr, cstr},
    spec::BinarySubtype,
};
use futures_util::TryStreamExt;
use mongoferry_protocol::{CollectionUuid, Optime};

use crate::{
    connection::Cluster,
    error::MongoError,
    optimes::{oldest_entry, timestamp},
    raw_id::id_alone,
};

const WHAT: &str = "find on local.oplog.rs";
/// Entries taken at once: what somebody loads in bulk must fit into memory too, which is why [`names`] leaves out the documents.
const ENTRIES: i64 = 2_000;

/// One document that was inserted, changed or deleted.
#[derive(Clone, Debug, PartialEq)]
pub struct TouchedDocument {
    pub namespace: String,
    /// Of the collection on this cluster.
    pub collection: CollectionUuid,
    /// `{_id: value}`.
    pub id: RawDocumentBuf,
    pub optime: Optime,
    /// Certainly not a part of a transaction of ours.
    pub is_foreign: bool,
}

/// The writes behind `after` and up to `until`, an optime on a majority, and how far they were read: to `until` unless there were
/// many. Fails with [`MongoError::RolledOff`] if the oplog does not reach back to `after`.
pub async fn touched_documents(
    cluster: &Cluster,
    after: Optime,
    until: Optime,
) -> Result<(Vec<TouchedDocument>, Optime), MongoError> {
    let oldest = oldest_entry(cluster).await?;
    if oldest > after {
        return Err(MongoError::RolledOff { cluster: cluster.hosts_label().to_owned(), wanted: after, oldest });
    }
    // 4.2 begins at `ts` only with this option, others always; they ignore it.
    let find = doc! {
        "find": "oplog.rs", "filter": others(after, until), "projection": names(), "limit": ENTRIES, "oplogReplay": true,
        "readConcern": {"level": "majority"},
    };
    let entries = entries(cluster, find).await.map_err(|error| cluster.explain(WHAT, &error))?;
    let last = entries.last().filter(|_| entries.len() as i64 == ENTRIES).and_then(|entry| optime_of(entry));
    Ok((entries.iter().flat_map(|entry| touched(entry)).collect(), last.unwrap_or(until)))
}

async fn entries(cluster: &Cluster, find: Document) -> Result<Vec<RawDocumentBuf>, mongodb::error::Error> {
    let found = cluster.database("local").run_cursor_command(find).await?;
    found.with_type::<RawDocumentBuf>().try_collect().await
}

fn others(after: Optime, until: Optime) -> Document {
    let begins = |pattern: &CStr| Regex { pattern: pattern.into(), options: cstr!("").into() };
    let internal = begins(cstr!(r"^(admin|config|local|mongoferry)\."));
    let ours = begins(cstr!(r"^mongoferry\."));
    doc! {
        "ts": {"$gt": timestamp(after), "$lte": timestamp(until)},
        "$or": [
            {"op": {"$in": ["i", "u", "d"]}, "ns": {"$not": internal}},
            {"op": "c", "o.applyOps": {"$exists": true}, "o.applyOps.0.ns": {"$not": ours}},
        ],
    }
}

/// What an entry says of which documents it is about.
fn names() -> Document {
    let mut names = doc! {"ts": 1, "op": 1, "ns": 1, "ui": 1, "prevOpTime": 1, "o2": 1, "o._id": 1};
    for name in ["op", "ns", "ui", "o2", "o._id"] {
        names.insert(format!("o.applyOps.{name}"), 1);
    }
    names
}

fn touched(entry: &RawDocument) -> Vec<TouchedDocument> {
    let Some(optime) = optime_of(entry) else { return Vec::new() };
    let Ok(operations) = entry.get_document("o").and_then(|o| o.get_array("applyOps")) else {
        return of_operation(entry, optime, true).into_iter().collect();
    };
    let goes_on = entry.get_document("prevOpTime").and_then(|at| at.get_timestamp("ts")).is_ok_and(|ts| ts.time > 0);
    let operations = operations.into_iter().flatten();
    operations.filter_map(|operation| of_operation(operation.as_document()?, optime, !goes_on)).collect()
}

fn of_operation(operation: &RawDocument, optime: Optime, is_foreign: bool) -> Option<TouchedDocument> {
    let target = match operation.get_str("op").ok()? {
        "i" | "d" => operation.get_document("o").ok()?,
        "u" => operation.get_document("o2").ok()?,
        _ => return None,
    };
    let uuid = operation.get_binary("ui").ok().filter(|binary| binary.subtype == BinarySubtype::Uuid)?;
    Some(TouchedDocument {
        namespace: operation.get_str("ns").ok()?.to_owned(),
        collection: CollectionUuid::from_bytes(uuid.bytes.try_into().ok()?),
        id: id_alone(target)?,
        optime,
        is_foreign,
    })
}

fn optime_of(entry: &RawDocument) -> Option<Optime> {
    entry.get_timestamp("ts").ok().map(|ts| Optime::new(ts.time, ts.increment))
}
