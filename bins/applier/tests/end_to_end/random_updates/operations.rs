//! One random write of one document. What the server refuses, because a path is not viable, is no loss.

use bson::{Bson, Document, RawDocumentBuf, Timestamp, doc};
use mongodb::{Collection, error::Result};
use rand::{RngExt, rngs::StdRng};

use super::{
    Names,
    values::{document, field, path, pick, scalar, value, whole_document},
};

/// Every kind that has to come up.
pub const OPERATIONS: [&str; 20] = [
    "insert",
    "delete",
    "replace",
    "set",
    "set several",
    "unset",
    "set and unset",
    "inc",
    "rename",
    "push",
    "push sorted",
    "pull",
    "pop",
    "add to set",
    "set element",
    "pipeline set",
    "pipeline unset",
    "pipeline move",
    "pipeline slice",
    "zero timestamp",
];

/// The kind of operation, if it took effect.
pub async fn run(
    collection: &Collection<RawDocumentBuf>,
    id: i32,
    rng: &mut StdRng,
    names: Names,
) -> Option<&'static str> {
    let query = doc! { "_id": id };
    let (kind, update) = match rng.random_range(0..40) {
        0..4 => {
            let document = whole_document(rng, id, names, true);
            return took_effect("insert", collection.insert_one(document).await.map(|_| true));
        }
        4 => {
            return took_effect("delete", collection.delete_one(query).await.map(|done| done.deleted_count > 0));
        }
        5 => {
            let document = whole_document(rng, id, names, false);
            return took_effect(
                "replace",
                collection.replace_one(query, document).await.map(|done| done.matched_count > 0),
            );
        }
        6..12 => ("set", vec![doc! { "$set": { path(rng): value(rng, 2) } }]),
        12..15 => ("set several", vec![doc! { "$set": paths(rng) }]),
        15..17 => ("unset", vec![doc! { "$unset": { path(rng): "" } }]),
        17..19 => ("set and unset", vec![doc! { "$set": paths(rng), "$unset": { path(rng): "" } }]),
        19 => ("inc", vec![doc! { "$inc": { path(rng): 3 } }]),
        20 => ("rename", vec![doc! { "$rename": { field(rng): path(rng) } }]),
        21..23 => ("push", vec![doc! { "$push": { path(rng): value(rng, 1) } }]),
        23 => {
            let each: Vec<Bson> = (0..3).map(|_| scalar(rng)).collect();
            ("push sorted", vec![doc! { "$push": { path(rng): { "$each": each, "$sort": 1, "$slice": 4 } } }])
        }
        24 => {
            let name = field(rng);
            let array = doc! { "$set": { name: [1, 2, scalar(rng), 3] } };
            ("pull", vec![array, doc! { "$pull": { name: { "$gte": 2 } } }])
        }
        25 => {
            let name = field(rng);
            ("pop", vec![doc! { "$set": { name: [scalar(rng), 1] } }, doc! { "$pop": { name: 1 } }])
        }
        26 => ("add to set", vec![doc! { "$addToSet": { path(rng): scalar(rng) } }]),
        27..30 => {
            let index = rng.random_range(0..9).to_string();
            ("set element", vec![doc! { "$set": { format!("{}.{index}", path(rng)): value(rng, 1) } }])
        }
        30..32 => {
            return pipeline(
                collection,
                "pipeline set",
                id,
                vec![doc! { "$set": { path(rng): literal(value(rng, 1)) } }],
            )
            .await;
        }
        32 => return pipeline(collection, "pipeline unset", id, vec![doc! { "$unset": path(rng) }]).await,
        33..36 => return pipeline(collection, "pipeline move", id, moved(rng)).await,
        36..38 => {
            let name = field(rng);
            let at = format!("${name}");
            let array = literal(vec![scalar(rng), 1.into(), value(rng, 1)].into());
            let sliced = doc! { "$slice": [&at, rng.random_range(1..3)] };
            let is_longer = doc! { "$gt": [{ "$size": { "$cond": [{ "$isArray": [&at] }, &at, []] } }, 1] };
            let changed = doc! { "$cond": [is_longer, sliced, array] };
            return pipeline(collection, "pipeline slice", id, vec![doc! { "$set": { name: changed } }]).await;
        }
        38 => {
            let zero = literal(Timestamp { time: 0, increment: 0 }.into());
            return pipeline(collection, "zero timestamp", id, vec![doc! { "$set": { field(rng): zero } }]).await;
        }
        _ => return odd_names(collection, id, rng, names).await,
    };
    let mut changed = false;
    for update in update {
        changed |=
            took_effect(kind, collection.update_one(query.clone(), update).await.map(|done| done.modified_count > 0))
                .is_some();
    }
    changed.then_some(kind)
}

fn paths(rng: &mut StdRng) -> Document {
    let count = rng.random_range(2..5);
    (0..count).map(|_| (path(rng), value(rng, 1))).collect()
}

fn literal(value: Bson) -> Document {
    doc! { "$literal": value }
}

/// A field goes to the end, perhaps with another value, and others are merged in.
fn moved(rng: &mut StdRng) -> Vec<Document> {
    let name = field(rng);
    let without = doc! { "$arrayToObject": { "$filter": { "input": { "$objectToArray": "$$ROOT" }, "as": "e", "cond": { "$ne": ["$$e.k", name] } } } };
    let with = doc! { name: literal(value(rng, 1)) };
    vec![doc! { "$replaceWith": { "$mergeObjects": [without, with, literal(document(rng, 1).into())] } }]
}

/// Fields that only later servers can change by name.
async fn odd_names(
    collection: &Collection<RawDocumentBuf>,
    id: i32,
    rng: &mut StdRng,
    names: Names,
) -> Option<&'static str> {
    if names != Names::Any {
        return None;
    }
    let name = pick(rng, &["a.b", "$any", "", "0.1"]);
    let set =
        doc! { "$setField": { "field": literal(name.into()), "input": "$$ROOT", "value": literal(value(rng, 1)) } };
    pipeline(collection, "odd name", id, vec![doc! { "$replaceWith": set }]).await
}

async fn pipeline(
    collection: &Collection<RawDocumentBuf>,
    kind: &'static str,
    id: i32,
    stages: Vec<Document>,
) -> Option<&'static str> {
    let done = collection.update_one(doc! { "_id": id }, stages).await;
    took_effect(kind, done.map(|done| done.modified_count > 0))
}

fn took_effect(kind: &'static str, outcome: Result<bool>) -> Option<&'static str> {
    match outcome {
        Ok(took_effect) => took_effect.then_some(kind),
        Err(error) => {
            let is_refused =
                matches!(*error.kind, mongodb::error::ErrorKind::Write(_) | mongodb::error::ErrorKind::Command(_));
            assert!(is_refused, "{kind}: {error}");
            None
        }
    }
}
