//! Indexes of every kind, built on empty and on filled collections, changed, dropped; builds that fail.

use bson::{Document, doc};

use super::{ALWAYS, Operation, operation, writes::ensure};
use crate::{
    action::{Action, command},
    dice::Dice,
};

pub const LIST: &[Operation] = &[
    operation("createIndexes on a filled collection", ALWAYS, 3, on_filled),
    operation("createIndexes on a new collection", ALWAYS, 1, on_new),
    operation("every kind of index", ALWAYS, 1, every_kind),
    operation("wildcard index", ALWAYS, 1, wildcard),
    operation("unique index, and documents that trade its keys", ALWAYS, 2, unique),
    operation("index build that fails", ALWAYS, 1, failing),
    operation("collMod of an index's expiry", ALWAYS, 2, expiry),
    operation("collMod that hides an index", (4, 4), 1, hidden),
    operation("collMod to a unique index", (6, 0), 1, to_unique),
    operation("dropIndexes", ALWAYS, 2, drop_one),
    operation("dropIndexes of all", ALWAYS, 1, drop_all),
];

fn create(database: &'static str, name: &str, index: Document) -> Action {
    command(database, doc! { "createIndexes": name, "indexes": [index] })
}

fn any_index(dice: &mut Dice) -> Document {
    match dice.number(5) {
        0 => doc! { "key": { "n": 1 }, "name": "n_1" },
        1 => doc! { "key": { "group": 1, "n": -1 }, "name": "group_1_n_-1", "background": true },
        2 => doc! { "key": { "x": 1 }, "name": "x_1", "sparse": true },
        3 => doc! { "key": { "n": -1 }, "name": "some", "partialFilterExpression": { "n": { "$gt": 100 } } },
        _ => doc! { "key": { "sub.n": 1 }, "name": "folded", "collation": { "locale": "en", "strength": 2 } },
    }
}

fn on_filled(dice: &mut Dice) -> Vec<Action> {
    let (database, name, index) = (dice.database(), dice.name(), any_index(dice));
    let id = dice.id();
    vec![Action::Command(ensure(dice, database, name, id)), create(database, name, index)]
}

fn on_new(dice: &mut Dice) -> Vec<Action> {
    let (database, index) = (dice.database(), any_index(dice));
    vec![
        command(database, doc! { "drop": "new" }),
        command(database, doc! { "create": "new" }),
        create(database, "new", index),
        command(database, doc! { "insert": "new", "documents": [{ "_id": dice.number(9), "n": 1 }] }),
    ]
}

fn every_kind(dice: &mut Dice) -> Vec<Action> {
    let database = dice.database();
    let at = doc! { "type": "Point", "coordinates": [1.5, 2.5] };
    let mut document = doc! { "_id": dice.number(5), "at": at, "flat": [1, 2], "text": "some text" };
    document.insert("n", dice.number(9));
    let indexes = [
        doc! { "key": { "text": "text" }, "name": "text", "weights": { "text": 3 }, "default_language": "none" },
        doc! { "key": { "at": "2dsphere" }, "name": "at" },
        doc! { "key": { "flat": "2d" }, "name": "flat", "bits": 20, "min": -100.0, "max": 100.0 },
        doc! { "key": { "n": "hashed" }, "name": "n_hashed" },
    ];
    let update = doc! { "q": { "_id": document.get("_id") }, "u": document, "upsert": true };
    let mut actions = vec![command(database, doc! { "update": "kinds", "updates": [update] })];
    actions.extend(indexes.map(|index| create(database, "kinds", index)));
    actions
}

fn wildcard(dice: &mut Dice) -> Vec<Action> {
    let (database, name) = (dice.database(), dice.name());
    let index = doc! { "key": { "$**": 1 }, "name": "all", "wildcardProjection": { "tags": 0, "sub": 0 } };
    vec![Action::Command(ensure(dice, database, name, 2)), create(database, name, index)]
}

fn unique(dice: &mut Dice) -> Vec<Action> {
    let (database, name) = (dice.database(), dice.name());
    let index = doc! { "key": { "key": 1 }, "name": "key_1", "unique": true, "sparse": true };
    let set = |id: i32, value: Option<i32>| {
        let change = match value {
            Some(value) => doc! { "$set": { "key": value } },
            None => doc! { "$unset": { "key": 1 } },
        };
        let statement = doc! { "q": { "_id": id }, "u": change, "upsert": true };
        command(database, doc! { "update": name, "updates": [statement], "bypassDocumentValidation": true })
    };
    let delete = doc! { "delete": name, "deletes": [{ "q": { "_id": 1 }, "limit": 1 }] };
    vec![
        set(0, Some(0)),
        set(1, Some(1)),
        create(database, name, index),
        set(0, None),
        set(1, Some(0)),
        set(0, Some(1)),
        command(database, delete),
        set(2, Some(0)),
    ]
}

/// Two documents with one value; what was built of the index is given up.
fn failing(dice: &mut Dice) -> Vec<Action> {
    let database = dice.database();
    let same = |id: i32| {
        let statement = doc! { "q": { "_id": id }, "u": { "$set": { "same": 1 } }, "upsert": true };
        command(database, doc! { "update": "doubles", "updates": [statement] })
    };
    let index = doc! { "key": { "same": 1 }, "name": "same_1", "unique": true };
    vec![same(1), same(2), create(database, "doubles", index)]
}

/// Some of the documents have long expired. The source does not look; the destination must not act.
fn expiry(dice: &mut Dice) -> Vec<Action> {
    let (database, name) = (dice.database(), dice.name());
    let index = doc! { "key": { "when": 1 }, "name": "when_1", "expireAfterSeconds": 3_600 };
    let seconds = dice.pick(&[1, 60, 7_200]);
    let when = bson::DateTime::from_millis(dice.pick(&[1_000_000_000_000_i64, 4_000_000_000_000]));
    let statement = doc! { "q": { "_id": dice.number(10) }, "u": { "$set": { "when": when } }, "upsert": true };
    vec![
        command(database, doc! { "update": name, "updates": [statement], "bypassDocumentValidation": true }),
        create(database, name, index),
        command(database, doc! { "collMod": name, "index": { "name": "when_1", "expireAfterSeconds": seconds } }),
    ]
}

fn hidden(dice: &mut Dice) -> Vec<Action> {
    let (database, name) = (dice.database(), dice.name());
    vec![
        create(database, name, doc! { "key": { "n": 1 }, "name": "n_1" }),
        command(database, doc! { "collMod": name, "index": { "name": "n_1", "hidden": dice.mostly(0.7) } }),
    ]
}

fn to_unique(dice: &mut Dice) -> Vec<Action> {
    let database = dice.database();
    let change = |option: &str| command(database, doc! { "collMod": "once", "index": { "name": "n_1", option: true } });
    vec![
        // So that no two documents stand in its way.
        command(database, doc! { "drop": "once" }),
        command(database, doc! { "insert": "once", "documents": [{ "_id": dice.number(5), "n": dice.number(5) }] }),
        create(database, "once", doc! { "key": { "n": 1 }, "name": "n_1" }),
        change("prepareUnique"),
        change("unique"),
    ]
}

fn drop_one(dice: &mut Dice) -> Vec<Action> {
    let (database, name) = (dice.database(), dice.name());
    let index = doc! { "key": { "y": 1 }, "name": "y_1" };
    let mut actions = vec![command(database, doc! { "dropIndexes": name, "index": "y_1" })];
    if dice.mostly(0.7) {
        actions.insert(0, create(database, name, index));
    }
    actions
}

fn drop_all(dice: &mut Dice) -> Vec<Action> {
    vec![command(dice.database(), doc! { "dropIndexes": dice.name(), "index": "*" })]
}
