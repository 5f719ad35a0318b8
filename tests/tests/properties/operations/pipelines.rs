//! Updates by pipelines, which can do what no operator can: reorder, shorten arrays, reach odd names.

use bson::{Document, doc};

use super::{ALWAYS, Operation, operation};
use crate::{
    action::{Action, command},
    dice::Dice,
};

pub const LIST: &[Operation] = &[
    operation("pipeline that sets and removes", ALWAYS, 4, set),
    operation("pipeline that reorders fields", ALWAYS, 4, reorder),
    operation("pipeline that shortens an array", ALWAYS, 3, shorten),
    operation("pipeline with several new fields", ALWAYS, 2, several),
    operation("pipeline of many", ALWAYS, 1, many),
    operation("pipeline on dotted, $ and empty names", (5, 0), 3, odd_names),
];

fn through(dice: &mut Dice, pipeline: Vec<Document>, upsert: bool) -> Vec<Action> {
    let query = doc! { "_id": { "$eq": dice.id() } };
    let statement = doc! { "q": query, "u": pipeline, "upsert": upsert };
    let update = doc! { "update": dice.name(), "updates": [statement], "bypassDocumentValidation": true };
    vec![command(dice.database(), update)]
}

fn set(dice: &mut Dice) -> Vec<Action> {
    let value = dice.value();
    let pipeline = vec![
        doc! { "$set": { "p": { "$literal": value }, "n": { "$add": [{ "$ifNull": ["$sub.n", 0] }, 1] } } },
        doc! { "$unset": dice.pick(&["x", "sub.deep", "tags"]) },
    ];
    through(dice, pipeline, false)
}

/// Some fields move to the end, in an order that is not that of their names.
fn reorder(dice: &mut Dice) -> Vec<Action> {
    let moved = dice.pick(&[["n", "group"], ["tags", "n"], ["sub", "group"]]);
    let mut last = Document::new();
    for name in moved {
        last.insert(name, format!("${name}"));
    }
    let pipeline = vec![
        doc! { "$set": { "kept": "$$ROOT" } },
        doc! { "$unset": moved.to_vec() },
        doc! { "$replaceWith": { "$mergeObjects": [
            { "$arrayToObject": { "$filter": {
                "input": { "$objectToArray": "$$ROOT" }, "cond": { "$ne": ["$$this.k", "kept"] } } } },
            { moved[0]: format!("$kept.{}", moved[0]), moved[1]: format!("$kept.{}", moved[1]) },
        ] } },
    ];
    through(dice, pipeline, false)
}

fn shorten(dice: &mut Dice) -> Vec<Action> {
    let length = 1 + dice.number(3);
    let cut = doc! { "$cond": [{ "$isArray": "$tags" }, { "$slice": ["$tags", length] }, ["was", "no", "array"]] };
    let pipeline = match dice.number(3) {
        0 => vec![doc! { "$set": { "tags": cut } }],
        1 => vec![doc! { "$set": { "tags": cut } }, doc! { "$set": { "n": length } }],
        _ => vec![doc! { "$set": { "tags": { "$map": { "input": cut, "in": { "k": "$$this", "v": length } } } } }],
    };
    through(dice, pipeline, false)
}

fn several(dice: &mut Dice) -> Vec<Action> {
    let number = dice.number(99);
    let pipeline = vec![doc! { "$set": { "zz": number, "aa": number, "10": number, "9": number, "sub.zz": number } }];
    through(dice, pipeline, true)
}

fn many(dice: &mut Dice) -> Vec<Action> {
    let statement = doc! {
        "q": { "group": dice.number(4) },
        "u": [{ "$set": { "doubled": { "$concatArrays": [{ "$cond": [{ "$isArray": "$tags" }, "$tags", []] }, ["$n"]] } } }],
        "multi": true,
    };
    vec![command(dice.database(), doc! { "update": dice.name(), "updates": [statement] })]
}

fn odd_names(dice: &mut Dice) -> Vec<Action> {
    let name = dice.pick(&["a.b", "$odd", "", "x.$y"]);
    let field = doc! { "$literal": name };
    let stage = if dice.chance(0.6) {
        let value = dice.value();
        doc! { "$replaceWith": { "$setField": { "field": field, "input": "$$ROOT", "value": { "$literal": value } } } }
    } else {
        doc! { "$replaceWith": { "$unsetField": { "field": field, "input": "$$ROOT" } } }
    };
    through(dice, vec![stage], false)
}
