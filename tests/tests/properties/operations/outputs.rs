//! Whole collections that come out of queries, and views.

use bson::doc;

use super::{ALWAYS, Operation, operation, writes::ensure};
use crate::{
    action::{Action, command},
    dice::Dice,
};

pub const LIST: &[Operation] = &[
    operation("$out over a collection with indexes", ALWAYS, 2, out),
    operation("$out to another database", (4, 4), 1, out_elsewhere),
    operation("$merge", ALWAYS, 2, merge),
    operation("mapReduce", ALWAYS, 1, map_reduce),
    operation("view", ALWAYS, 1, view),
];

fn out(dice: &mut Dice) -> Vec<Action> {
    let database = dice.database();
    let (from, to) = dice.two_names();
    let index = doc! { "key": { "n": 1 }, "name": "n_1" };
    let pipeline = vec![doc! { "$match": { "group": { "$lt": 3 } } }, doc! { "$out": to }];
    vec![
        Action::Command(ensure(dice, database, from, 1)),
        Action::Command(ensure(dice, database, to, 1)),
        command(database, doc! { "createIndexes": to, "indexes": [index] }),
        command(database, doc! { "aggregate": from, "pipeline": pipeline, "cursor": {} }),
    ]
}

fn out_elsewhere(dice: &mut Dice) -> Vec<Action> {
    let (from, to) = dice.two_names();
    let pipeline = vec![doc! { "$out": { "db": "two", "coll": to } }];
    vec![
        Action::Command(ensure(dice, "one", from, 2)),
        command("one", doc! { "aggregate": from, "pipeline": pipeline, "cursor": {} }),
    ]
}

fn merge(dice: &mut Dice) -> Vec<Action> {
    let database = dice.database();
    let (from, to) = dice.two_names();
    let matched = dice.pick(&["replace", "merge", "keepExisting"]);
    let pipeline = vec![
        doc! { "$set": { "merged": dice.number(99) } },
        doc! { "$merge": { "into": to, "whenMatched": matched, "whenNotMatched": "insert" } },
    ];
    vec![
        Action::Command(ensure(dice, database, from, 1)),
        command(database, doc! { "aggregate": from, "pipeline": pipeline, "cursor": {} }),
    ]
}

fn map_reduce(dice: &mut Dice) -> Vec<Action> {
    let database = dice.database();
    let (from, to) = dice.two_names();
    let count = doc! {
        "mapReduce": from,
        "map": "function() { emit(this.group, 1); }",
        "reduce": "function(key, values) { return Array.sum(values); }",
        "out": { dice.pick(&["replace", "merge", "reduce"]): to },
    };
    vec![Action::Command(ensure(dice, database, from, 1)), command(database, count)]
}

fn view(dice: &mut Dice) -> Vec<Action> {
    let database = dice.database();
    let pipeline = vec![doc! { "$match": { "n": dice.number(9) } }];
    let mut actions = vec![
        command(database, doc! { "drop": "a view" }),
        command(database, doc! { "drop": "a view of it" }),
        command(database, doc! { "create": "a view", "viewOn": dice.name(), "pipeline": pipeline.clone() }),
        command(database, doc! { "create": "a view of it", "viewOn": "a view", "pipeline": [] }),
        command(database, doc! { "collMod": "a view", "viewOn": dice.name(), "pipeline": pipeline }),
    ];
    if dice.chance(0.5) {
        actions.push(command(database, doc! { "drop": "a view" }));
    }
    actions
}
