//! Every operator on arrays, and updates that reach into them.

use bson::{Bson, Document, doc};

use super::{ALWAYS, Operation, operation, writes::update};
use crate::{
    action::{Action, command},
    dice::Dice,
};

pub const LIST: &[Operation] = &[
    operation("$push to the end", ALWAYS, 4, push),
    operation("$push with $position, $slice, $sort", ALWAYS, 4, push_modified),
    operation("$pull, $pullAll, $pop, $addToSet", ALWAYS, 4, pull),
    operation("$[] and array filters", ALWAYS, 2, positional),
    operation("$set past the end of an array", ALWAYS, 2, past_the_end),
    operation("$set of an element that stands", ALWAYS, 2, element),
    operation("array becomes scalar and back", ALWAYS, 2, another_shape),
];

fn changed(dice: &mut Dice, change: Document) -> Vec<Action> {
    let (name, id) = (dice.name(), dice.id());
    vec![update(dice, name, id, change, false)]
}

/// On a document that has the array, whatever happened before.
fn element(dice: &mut Dice) -> Vec<Action> {
    let (database, name) = (dice.database(), dice.name());
    let document = doc! { "_id": "with elements", "list": [1, 2, 3], "text": "long enough for a difference" };
    let whole = doc! { "q": { "_id": "with elements" }, "u": document, "upsert": true };
    let set = doc! { "q": { "_id": "with elements" }, "u": { "$set": { "list.1": 100 + dice.number(99) } } };
    let run = |update: Document| {
        command(database, doc! { "update": name, "updates": [update], "bypassDocumentValidation": true })
    };
    vec![run(whole), run(set)]
}

fn push(dice: &mut Dice) -> Vec<Action> {
    let value = dice.value();
    changed(dice, doc! { "$push": { "tags": value } })
}

fn push_modified(dice: &mut Dice) -> Vec<Action> {
    let mut push = doc! { "$each": [dice.number(9), dice.value()] };
    if dice.chance(0.6) {
        push.insert("$position", dice.number(4) - 1);
    }
    if dice.chance(0.6) {
        push.insert("$slice", dice.number(9) - 4);
    }
    if dice.chance(0.5) {
        let order = dice.pick(&[Bson::Int32(1), Bson::Int32(-1), doc! { "k": 1 }.into()]);
        push.insert("$sort", order);
    }
    changed(dice, doc! { "$push": { "tags": push } })
}

fn pull(dice: &mut Dice) -> Vec<Action> {
    let value = dice.value();
    let change = match dice.number(5) {
        0 => doc! { "$pull": { "tags": { "$gte": dice.number(9) } } },
        1 => doc! { "$pullAll": { "tags": [dice.number(9), value] } },
        2 => doc! { "$pop": { "tags": dice.pick(&[1, -1]) } },
        3 => doc! { "$addToSet": { "tags": { "$each": [value, dice.number(9)] } } },
        _ => doc! { "$pull": { "tags": { "k": dice.number(4) } } },
    };
    changed(dice, change)
}

fn positional(dice: &mut Dice) -> Vec<Action> {
    let (name, id, value) = (dice.name(), dice.id(), dice.value());
    let mut statement = doc! { "q": { "_id": { "$eq": id } } };
    if dice.chance(0.5) {
        statement.insert("u", doc! { "$set": { "tags.$[small]": value } });
        statement.insert("arrayFilters", vec![doc! { "small": { "$lt": dice.number(9) } }]);
    } else {
        statement.insert("u", doc! { "$set": { "sub.list.$[]": value } });
    }
    vec![command(dice.database(), doc! { "update": name, "updates": [statement], "bypassDocumentValidation": true })]
}

fn past_the_end(dice: &mut Dice) -> Vec<Action> {
    let path = format!("tags.{}", 5 + dice.number(5));
    let (value, inner) = (dice.value(), format!("sub.list.{}", dice.number(9)));
    changed(dice, doc! { "$set": { path: value, inner: 1 } })
}

/// What stands at a path is a document, an array, a scalar by turns; a copy may be of any of these times.
fn another_shape(dice: &mut Dice) -> Vec<Action> {
    let (database, name, id) = (dice.database(), dice.name(), dice.id());
    let set = |value: Document| {
        let statement = doc! { "q": { "_id": { "$eq": id.clone() } }, "u": { "$set": value } };
        command(database, doc! { "update": name, "updates": [statement], "bypassDocumentValidation": true })
    };
    vec![
        set(doc! { "x": 5, "n": 1 }),
        set(doc! { "x": { "b": dice.number(9) }, "n": 2 }),
        set(doc! { "x.b": dice.value(), "x.c.d": 1, "n": 3 }),
        set(doc! { "x": [1, [2], { "b": 3 }] }),
        set(doc! { "x.2.b": 4, "x.4": 5, "n": 4 }),
        set(doc! { "x": dice.value() }),
    ]
}
