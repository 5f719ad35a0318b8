//! Collections that are no plain ones: capped, clustered, collated, time-series, and the functions in `system.js`.

use bson::{Bson, DateTime, doc};

use super::{ALWAYS, Operation, operation};
use crate::{
    action::{Action, command},
    dice::Dice,
};

pub const LIST: &[Operation] = &[
    operation("capped collection, filled beyond its size", ALWAYS, 2, capped),
    operation("convertToCapped", ALWAYS, 1, convert_to_capped),
    operation("cloneCollectionAsCapped", ALWAYS, 1, clone_as_capped),
    operation("ids under a collation", ALWAYS, 2, collated),
    operation("functions in system.js", ALWAYS, 1, functions),
    operation("time-series collection", (5, 0), 2, time_series),
    operation("clustered collection", (6, 0), 2, clustered),
    operation("drop of a special collection", ALWAYS, 1, drop_special),
];

const CAPPED: &str = "capped";
const COLLATED: &str = "collated";
const SERIES: &str = "series";
const CLUSTERED: &str = "clustered";

fn capped(dice: &mut Dice) -> Vec<Action> {
    let database = dice.database();
    let mut actions = vec![command(database, doc! { "create": CAPPED, "capped": true, "size": 100_000, "max": 4 })];
    for _ in 0..3 {
        let id = dice.number(12);
        let insert = doc! { "insert": CAPPED, "documents": [{ "_id": id, "n": 1_i64, "value": dice.value() }] };
        actions.push(command(database, insert));
    }
    // Of the same size, as old servers want it.
    let update = doc! { "q": { "_id": dice.number(12) }, "u": { "$set": { "n": i64::from(dice.number(99)) } } };
    actions.push(command(database, doc! { "update": CAPPED, "updates": [update] }));
    actions
}

fn convert_to_capped(dice: &mut Dice) -> Vec<Action> {
    let (database, name) = (dice.database(), dice.pick(&["to be capped", "to be capped too"]));
    let documents: Vec<Bson> = (0..3).map(|_| doc! { "_id": dice.number(50), "n": 1_i64 }.into()).collect();
    vec![
        command(database, doc! { "insert": name, "documents": documents, "ordered": false }),
        command(database, doc! { "convertToCapped": name, "size": 4_096 }),
        command(database, doc! { "insert": name, "documents": [{ "_id": 50 + dice.number(50), "n": 2_i64 }] }),
    ]
}

fn clone_as_capped(dice: &mut Dice) -> Vec<Action> {
    let database = dice.database();
    let clone = doc! { "cloneCollectionAsCapped": "to be capped", "toCollection": "clone", "size": 4_096 };
    vec![
        command(database, doc! { "insert": "to be capped", "documents": [{ "_id": dice.number(50), "n": 1_i64 }] }),
        command(database, doc! { "drop": "clone" }),
        command(database, clone),
    ]
}

fn collated(dice: &mut Dice) -> Vec<Action> {
    let database = dice.database();
    let collation = doc! { "locale": "en", "strength": 1 };
    let mut actions = vec![command(database, doc! { "create": COLLATED, "collation": collation })];
    for _ in 0..4 {
        let id = dice.pick(&["anna", "ANNA", "ännä", "bert", "Bert"]);
        let id: Bson = if dice.chance(0.8) { id.into() } else { dice.id() };
        let condition = doc! { "_id": { "$eq": id.clone() } };
        actions.push(command(
            database,
            match dice.number(4) {
                0 => doc! { "delete": COLLATED, "deletes": [{ "q": condition, "limit": 1 }] },
                1 => doc! { "update": COLLATED, "updates": [{ "q": condition, "u": { "n": dice.value() } }] },
                2 => doc! { "update": COLLATED, "updates": [{ "q": condition, "u": { "$set": { "a.b": dice.value() } } }] },
                _ => doc! { "insert": COLLATED, "documents": [{ "_id": id, "n": dice.number(9) }] },
            },
        ));
    }
    actions
}

fn functions(dice: &mut Dice) -> Vec<Action> {
    let database = dice.database();
    let id = dice.pick(&["first", "second", "third"]);
    let value = Bson::JavaScriptCode(format!("function() {{ return {}; }}", dice.number(99)));
    let update = doc! { "q": { "_id": id }, "u": { "value": value }, "upsert": true };
    let delete = doc! { "q": { "_id": dice.pick(&["first", "second", "third"]) }, "limit": 1 };
    let set = doc! { "q": { "_id": id }, "u": { "$set": { "changed": dice.number(999) } } };
    vec![
        command(database, doc! { "update": "system.js", "updates": [update] }),
        command(database, doc! { "update": "system.js", "updates": [set] }),
        command(database, doc! { "delete": "system.js", "deletes": [delete] }),
    ]
}

fn time_series(dice: &mut Dice) -> Vec<Action> {
    let database = dice.database();
    let series = doc! { "timeField": "t", "metaField": "from" };
    let mut actions = vec![command(database, doc! { "create": SERIES, "timeseries": series })];
    for _ in 0..3 {
        let t = DateTime::from_millis(1_700_000_000_000 + i64::from(dice.number(7_200)) * 1_000);
        let document = doc! { "t": t, "from": dice.pick(&["a", "b"]), "x": dice.number(99) };
        actions.push(command(database, doc! { "insert": SERIES, "documents": [document] }));
    }
    if dice.mostly(0.3) {
        let seconds = 1_000_000_000 + dice.number(99);
        actions.push(command(database, doc! { "collMod": SERIES, "expireAfterSeconds": i64::from(seconds) }));
    }
    actions
}

fn clustered(dice: &mut Dice) -> Vec<Action> {
    let database = dice.database();
    let index = doc! { "key": { "_id": 1 }, "unique": true };
    let id = dice.id();
    let document = doc! { "q": { "_id": { "$eq": id } }, "u": dice.fields(), "upsert": true };
    let update = doc! { "q": { "_id": { "$eq": dice.id() } }, "u": { "$push": { "tags": dice.value() } } };
    let delete = doc! { "q": { "_id": { "$eq": dice.id() } }, "limit": 1 };
    vec![
        command(database, doc! { "create": CLUSTERED, "clusteredIndex": index }),
        command(database, doc! { "update": CLUSTERED, "updates": [document] }),
        command(database, doc! { "update": CLUSTERED, "updates": [update] }),
        command(database, doc! { "delete": CLUSTERED, "deletes": [delete] }),
    ]
}

fn drop_special(dice: &mut Dice) -> Vec<Action> {
    let name = dice.pick(&[CAPPED, COLLATED, SERIES, CLUSTERED, "to be capped"]);
    vec![command(dice.database(), doc! { "drop": name })]
}
