//! The transactions that applying a stretch of oplog comes to, made beforehand: what the bare loop sends.
//!
//! Decoding, folding and the division into lanes are the product's own, since they decide what has to be sent; the commands
//! are built here as the product builds them. Left out is everything that the product does beside.

use std::collections::HashMap;

use bson::{RawArrayBuf, RawDocumentBuf, Timestamp, doc, oid::ObjectId, raw::cstr, rawdoc, spec::BinarySubtype};
use futures_util::{StreamExt, TryStreamExt};
use mongodb::{Client, Collection};
use mongoferry_oplog::{CollectionWork, Cut, EntryDecoder, LaneWork, RoundBuilder, RoundLimits, UpdateStep};
use mongoferry_protocol::{ChangePosition, CollectionUuid, Optime, StartPoint, WriteOrder};

use crate::{fixture::LIVELY, load::Span};

/// As the coordinator settles.
pub const LANES: usize = 4;
/// As the applier has them.
const LIMITS: RoundLimits = RoundLimits { operations: 4_000, bytes: 6 * 1024 * 1024 };
/// Where each lane's checkpoint is, in the database that the loop writes to.
pub const CHECKPOINTS: &str = "lanes";

pub struct LaneTransactions {
    /// By lane.
    pub lanes: Vec<Vec<Transaction>>,
    /// Changes in the stretch of oplog.
    pub changes: u64,
    /// Write operations after folding.
    pub operations: u64,
}

/// Commands, the checkpoint's first.
pub type Transaction = Vec<RawDocumentBuf>;

/// The transactions for the user's changes in `span` of the source's oplog.
pub async fn prepare(source: &Client, span: Span) -> LaneTransactions {
    let names = collection_names(source).await;
    let mut prepared = LaneTransactions { lanes: vec![Vec::new(); LANES], changes: 0, operations: 0 };
    let start = StartPoint { capture_from: span.after, apply_after: span.after };
    let mut decoder = EntryDecoder::new(start);
    let mut rounds = RoundBuilder::new(vec![ChangePosition::end_of(span.after); LANES], LIMITS);
    let filter = doc! { "ts": { "$gt": timestamp(span.after), "$lte": timestamp(span.last) } };
    let oplog: Collection<RawDocumentBuf> = source.database("local").collection("oplog.rs");
    let mut batches = oplog.find(filter).batch_size(5_000).batch().await.expect("the oplog is readable");
    while let Some(batch) = batches.next().await {
        for entry in batch.expect("the oplog is readable").doc_slices().expect("holds documents") {
            let entry = entry.expect("valid").as_document().expect("an entry is a document");
            for change in decoder.decode(entry).expect("the load holds what can be applied") {
                prepared.changes += 1;
                match rounds.push(change, WriteOrder::ByDocument) {
                    None => {}
                    Some(Cut::Round(round)) => prepared.add(round.lanes, &names),
                    Some(Cut::Barrier { .. }) => panic!("the load changes no catalog"),
                }
            }
        }
    }
    rounds.end_entry(span.last);
    prepared.add(rounds.take().expect("something is left").lanes, &names);
    prepared
}

impl LaneTransactions {
    fn add(&mut self, works: Vec<LaneWork>, names: &HashMap<CollectionUuid, String>) {
        for (lane, work) in works.into_iter().enumerate().filter(|(_, work)| !work.is_empty()) {
            self.operations += work.operation_count as u64;
            let checkpoint = checkpoint(lane, work.last.expect("it is not empty"), work.change_count);
            let commands = work.collections.into_iter().flat_map(|work| commands(&names[&work.uuid], work));
            self.lanes[lane].push(std::iter::once(checkpoint).chain(commands).collect());
        }
    }
}

/// The record of a lane that has done nothing.
pub fn new_checkpoint(lane: usize) -> RawDocumentBuf {
    rawdoc! { "_id": lane as i64, "term": 1_i64, "changes": 0_i64 }
}

fn checkpoint(lane: usize, last: ChangePosition, changes: u64) -> RawDocumentBuf {
    let transaction = ObjectId::new();
    let query = rawdoc! { "_id": lane as i64, "term": 1_i64, "transaction": { "$ne": transaction } };
    let set = rawdoc! {
        "optime": timestamp(last.optime), "index": i64::from(last.index), "sequence": 1_i64, "wall_ms": 1_i64,
        "transaction": transaction,
    };
    let update = rawdoc! { "$set": set, "$inc": { "changes": changes as i64 } };
    rawdoc! { "update": CHECKPOINTS, "updates": [{ "q": query, "u": update, "multi": false }] }
}

fn commands(name: &str, work: CollectionWork) -> Vec<RawDocumentBuf> {
    assert!(work.ordered.is_empty(), "ids are numbers");
    let deletes = work.deletes.iter().map(|id| rawdoc! { "q": id.clone(), "limit": 1 }).collect();
    let updates = work.updates.into_iter().map(update_statement).collect();
    let mut delete = rawdoc! { "delete": name, "ordered": false };
    let mut insert = rawdoc! { "insert": name, "ordered": false };
    let mut update = rawdoc! { "update": name, "ordered": true };
    let mut commands = Vec::new();
    if append(&mut delete, cstr!("deletes"), deletes) {
        commands.push(delete);
    }
    if append(&mut insert, cstr!("documents"), work.inserts.into_iter().collect()) {
        insert.append(cstr!("bypassDocumentValidation"), true);
        commands.push(insert);
    }
    if append(&mut update, cstr!("updates"), updates) {
        update.append(cstr!("bypassDocumentValidation"), true);
        commands.push(update);
    }
    commands
}

/// Whether there were any.
fn append(command: &mut RawDocumentBuf, name: &bson::raw::CStr, statements: RawArrayBuf) -> bool {
    let any = !statements.is_empty();
    command.append(name, statements);
    any
}

fn update_statement(step: UpdateStep) -> RawDocumentBuf {
    match step {
        UpdateStep::Delta { id, delta } => {
            let stage = rawdoc! { "$_internalApplyOplogUpdate": { "oplogUpdate": delta } };
            rawdoc! { "q": id, "u": [stage], "upsert": false, "multi": false }
        }
        UpdateStep::Replace { id, document } => rawdoc! { "q": id, "u": document, "upsert": false, "multi": false },
    }
}

async fn collection_names(source: &Client) -> HashMap<CollectionUuid, String> {
    let listed = source.database(LIVELY).list_collections().await.expect("the source lists");
    let listed: Vec<_> = listed.try_collect().await.expect("the source lists");
    let uuid = |listed: &mongodb::results::CollectionSpecification| {
        let uuid = listed.info.uuid.as_ref().filter(|uuid| uuid.subtype == BinarySubtype::Uuid).expect("has a UUID");
        CollectionUuid::from_bytes(uuid.bytes.as_slice().try_into().expect("a UUID has 16 bytes"))
    };
    listed.into_iter().map(|listed| (uuid(&listed), listed.name)).collect()
}

fn timestamp(optime: Optime) -> Timestamp {
    Timestamp { time: optime.t, increment: optime.i }
}
