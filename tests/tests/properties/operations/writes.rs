//! Inserts, replacements, classic updates, deletes.

use bson::{Bson, Document, RawDocumentBuf, doc, raw::cstr, rawdoc};

use super::{ALWAYS, Operation, operation};
use crate::{
    action::{Action, Statement, command, on},
    dice::Dice,
};

pub const LIST: &[Operation] = &[
    operation("insert", ALWAYS, 10, insert),
    operation("insert of every odd _id", ALWAYS, 1, odd_ids),
    operation("insert of every value", ALWAYS, 1, every_value),
    operation("insert with duplicate names", ALWAYS, 1, twins),
    operation("replace", ALWAYS, 10, replace),
    operation("$set and $unset", ALWAYS, 12, set),
    operation("$inc, $min, $max, $bit, $currentDate", ALWAYS, 3, arithmetic),
    operation("$rename", ALWAYS, 2, rename_field),
    operation("update of many", ALWAYS, 2, update_many),
    operation("findAndModify", ALWAYS, 3, find_and_modify),
    operation("delete", ALWAYS, 8, delete),
    operation("delete of many", ALWAYS, 1, delete_many),
    operation("delete and insert under an equal _id", ALWAYS, 3, another_type),
    operation("trade of values", ALWAYS, 2, trade),
];

/// An update command with one statement.
pub fn update(dice: &mut Dice, name: &'static str, id: Bson, change: impl Into<Bson>, upsert: bool) -> Action {
    let statement = doc! { "q": { "_id": { "$eq": id } }, "u": change.into(), "upsert": upsert };
    command(dice.database(), doc! { "update": name, "updates": [statement], "bypassDocumentValidation": true })
}

/// A document that exists from now on.
pub fn ensure(dice: &mut Dice, database: &'static str, name: &'static str, id: impl Into<Bson>) -> Statement {
    let id: Bson = id.into();
    let mut document = doc! { "_id": id.clone() };
    document.extend(dice.fields());
    let statement = doc! { "q": { "_id": { "$eq": id } }, "u": document, "upsert": true };
    on(database, doc! { "update": name, "updates": [statement], "bypassDocumentValidation": true })
}

fn insert(dice: &mut Dice) -> Vec<Action> {
    let documents: Vec<Document> = (0..=dice.number(3)).map(|_| dice.document()).collect();
    let insert =
        doc! { "insert": dice.name(), "documents": documents, "ordered": false, "bypassDocumentValidation": true };
    vec![command(dice.database(), insert)]
}

fn odd_ids(dice: &mut Dice) -> Vec<Action> {
    let documents: Vec<Document> = Dice::odd_ids().iter().map(|id| doc! { "_id": id.clone(), "n": 1 }).collect();
    let database = dice.database();
    documents.into_iter().map(|document| command(database, doc! { "insert": "odd", "documents": [document] })).collect()
}

fn every_value(dice: &mut Dice) -> Vec<Action> {
    let mut document = doc! { "_id": "every value" };
    document.extend(Dice::every_value().iter().enumerate().map(|(n, value)| (format!("v{n}"), value.clone())));
    let mut list = doc! { "_id": "every value in a list" };
    list.insert("list", Dice::every_value().to_vec());
    let insert = doc! { "insert": "odd", "documents": [document, list], "ordered": false };
    vec![command(dice.database(), insert)]
}

fn twins(dice: &mut Dice) -> Vec<Action> {
    let database = dice.database();
    let id = format!("twins {}", dice.number(3));
    let mut document = rawdoc! { "_id": id.as_str(), "twin": 1, "between": dice.number(9) };
    document.append(cstr!("twin"), 2);
    let mut insert: RawDocumentBuf = rawdoc! { "insert": "twins" };
    insert.append(cstr!("documents"), bson::RawArrayBuf::from_iter([document]));
    let set = doc! { "$set": { "after": dice.number(9) } };
    vec![
        command(database, doc! { "delete": "twins", "deletes": [{ "q": { "_id": &id }, "limit": 1 }] }),
        Action::Command(Statement { database: database.to_owned(), command: insert }),
        command(database, doc! { "update": "twins", "updates": [{ "q": { "_id": &id }, "u": set }] }),
    ]
}

fn replace(dice: &mut Dice) -> Vec<Action> {
    let (name, id, fields, upsert) = (dice.name(), dice.id(), dice.fields(), dice.chance(0.5));
    vec![update(dice, name, id, fields, upsert)]
}

fn set(dice: &mut Dice) -> Vec<Action> {
    let paths = ["n", "x", "y", "z", "sub.n", "sub.deep.value", "sub.new", "10", "tags.1", "tags.7", "sub.list.0"];
    let mut change = doc! {};
    let (first, second) = (dice.pick(&paths), dice.pick(&paths));
    change.insert("$set", doc! { first: dice.value() });
    if dice.chance(0.4) {
        change.insert("$unset", doc! { second: 1 });
    }
    let (name, id, upsert) = (dice.name(), dice.id(), dice.chance(0.2));
    vec![update(dice, name, id, change, upsert)]
}

fn arithmetic(dice: &mut Dice) -> Vec<Action> {
    let change = match dice.number(5) {
        0 => doc! { "$inc": { "n": 1, "count": 1_i64 } },
        1 => doc! { "$min": { "n": dice.number(500) }, "$mul": { "count": 2 } },
        2 => doc! { "$max": { "n": 0.5 } },
        3 => doc! { "$bit": { "n": { "xor": 5 } } },
        _ => doc! { "$currentDate": { "when": true, "stamp": { "$type": "timestamp" } } },
    };
    let (name, id) = (dice.name(), dice.id());
    vec![update(dice, name, id, change, false)]
}

fn rename_field(dice: &mut Dice) -> Vec<Action> {
    let (from, to) = (dice.pick(&["x", "y", "sub.n"]), dice.pick(&["z", "sub.moved", "w"]));
    let (name, id) = (dice.name(), dice.id());
    vec![update(dice, name, id, doc! { "$rename": { from: to } }, false)]
}

fn update_many(dice: &mut Dice) -> Vec<Action> {
    let change = doc! { "$set": { "many": dice.value() }, "$inc": { "n": 1 } };
    let statement = doc! { "q": { "group": dice.number(4) }, "u": change, "multi": true };
    vec![command(dice.database(), doc! { "update": dice.name(), "updates": [statement] })]
}

fn find_and_modify(dice: &mut Dice) -> Vec<Action> {
    let (database, name, id) = (dice.database(), dice.name(), dice.id());
    let ground = ensure(dice, database, name, id.clone());
    let base = doc! { "findAndModify": name, "query": { "_id": { "$eq": id } }, "bypassDocumentValidation": true };
    let with = |more: Document| {
        let mut command = base.clone();
        command.extend(more);
        Action::Retryable(on(database, command))
    };
    let kinds = [
        with(doc! { "update": { "$set": { "found": dice.number(99) } }, "new": true }),
        with(doc! { "update": dice.fields(), "new": false }),
        with(doc! { "remove": true }),
    ];
    std::iter::once(Action::Command(ground)).chain(kinds).collect()
}

fn delete(dice: &mut Dice) -> Vec<Action> {
    let query = doc! { "_id": { "$eq": dice.id() } };
    vec![command(dice.database(), doc! { "delete": dice.name(), "deletes": [{ "q": query, "limit": 1 }] })]
}

fn delete_many(dice: &mut Dice) -> Vec<Action> {
    let query = doc! { "group": dice.number(4) };
    vec![command(dice.database(), doc! { "delete": dice.name(), "deletes": [{ "q": query, "limit": 0 }] })]
}

/// A document goes, and one comes whose `_id` the server holds for equal though its type differs.
fn another_type(dice: &mut Dice) -> Vec<Action> {
    let number = dice.number(4);
    let forms = [Bson::Int32(number), Bson::Int64(number.into()), Bson::Double(number.into())];
    let (database, name, form) = (dice.database(), dice.name(), dice.pick(&forms));
    let delete = doc! { "delete": name, "deletes": [{ "q": { "_id": number }, "limit": 1 }] };
    let document = doc! { "_id": form, "n": dice.number(9) };
    vec![
        command(database, delete),
        command(database, doc! { "insert": name, "documents": [document], "bypassDocumentValidation": true }),
    ]
}

/// Two documents exchange the values that a unique index may stand on.
fn trade(dice: &mut Dice) -> Vec<Action> {
    let (database, name) = (dice.database(), dice.name());
    let (one, other) = (dice.number(4), 4 + dice.number(4));
    let set = |id: i32, value: i32| {
        let statement = doc! { "q": { "_id": id }, "u": { "$set": { "key": value } }, "upsert": true };
        command(database, doc! { "update": name, "updates": [statement], "bypassDocumentValidation": true })
    };
    vec![set(one, one), set(other, other), set(one, 1_000), set(other, one), set(one, other)]
}
