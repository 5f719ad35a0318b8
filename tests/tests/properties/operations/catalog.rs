//! Collections that come, change, go, and change their names.

use bson::{Document, doc};

use super::{ALWAYS, Operation, operation, writes::ensure};
use crate::{
    action::{Action, command},
    dice::Dice,
};

pub const LIST: &[Operation] = &[
    operation("create with a validator", ALWAYS, 2, create),
    operation("create with storage options", ALWAYS, 1, with_storage_options),
    operation("create with pre-images", (6, 0), 1, with_images),
    operation("drop and create again", ALWAYS, 3, again),
    operation("rename", ALWAYS, 3, |dice| rename(dice, false)),
    operation("rename over another collection", ALWAYS, 3, |dice| rename(dice, true)),
    operation("names that go round", ALWAYS, 2, round),
    operation("rename to another database", ALWAYS, 1, |dice| move_over(dice, false)),
    operation("rename to another database, over a collection", ALWAYS, 1, |dice| move_over(dice, true)),
    operation("collMod of the validator", ALWAYS, 2, validator),
    operation("drop", ALWAYS, 1, drop),
    operation("dropDatabase", ALWAYS, 1, drop_database),
    operation("appendOplogNote", ALWAYS, 1, note),
];

fn rename_command(from: (&str, &str), to: (&str, &str), over: bool) -> Action {
    let (from, to) = (format!("{}.{}", from.0, from.1), format!("{}.{}", to.0, to.1));
    command("admin", doc! { "renameCollection": from, "to": to, "dropTarget": over })
}

/// Excludes some of the documents that others will put there.
fn some_validator(dice: &mut Dice) -> Document {
    doc! { "n": { "$lt": 100 + dice.number(900) } }
}

fn create(dice: &mut Dice) -> Vec<Action> {
    let (database, name) = (dice.database(), dice.name());
    let action = dice.pick(&["warn", "error"]);
    let mut actions =
        vec![command(database, doc! { "create": name, "validator": some_validator(dice), "validationAction": action })];
    if dice.mostly(0.3) {
        actions.insert(0, command(database, doc! { "drop": name }));
    }
    actions.push(Action::Command(ensure(dice, database, name, 1)));
    actions
}

fn with_storage_options(dice: &mut Dice) -> Vec<Action> {
    let database = dice.database();
    let engine = doc! { "wiredTiger": { "configString": "block_compressor=zlib" } };
    let create = doc! { "create": "packed", "storageEngine": engine.clone(), "indexOptionDefaults": { "storageEngine": { "wiredTiger": {} } } };
    vec![
        command(database, doc! { "drop": "packed" }),
        command(database, create),
        Action::Command(ensure(dice, database, "packed", 1)),
    ]
}

fn with_images(dice: &mut Dice) -> Vec<Action> {
    let database = dice.database();
    let images = |on: bool| doc! { "enabled": on };
    vec![
        command(database, doc! { "drop": "images" }),
        command(database, doc! { "create": "images", "changeStreamPreAndPostImages": images(true) }),
        Action::Command(ensure(dice, database, "images", 1)),
        Action::Command(ensure(dice, database, "images", 1)),
        command(database, doc! { "collMod": "images", "changeStreamPreAndPostImages": images(dice.chance(0.5)) }),
    ]
}

fn again(dice: &mut Dice) -> Vec<Action> {
    let (database, name) = (dice.database(), dice.name());
    vec![
        Action::Command(ensure(dice, database, name, 1)),
        command(database, doc! { "drop": name }),
        Action::Command(ensure(dice, database, name, 2)),
        Action::Command(ensure(dice, database, name, 3)),
    ]
}

fn rename(dice: &mut Dice, over: bool) -> Vec<Action> {
    let database = dice.database();
    let (from, to) = dice.two_names();
    let mut actions = Vec::new();
    if dice.mostly(0.6) {
        actions.push(Action::Command(ensure(dice, database, from, 1)));
        let target =
            if over { Action::Command(ensure(dice, database, to, 2)) } else { command(database, doc! { "drop": to }) };
        actions.push(target);
    }
    actions.push(rename_command((database, from), (database, to), over));
    actions
}

/// Two collections change their names.
fn round(dice: &mut Dice) -> Vec<Action> {
    let database = dice.database();
    let (one, other) = dice.two_names();
    vec![
        Action::Command(ensure(dice, database, one, 1)),
        Action::Command(ensure(dice, database, other, 1)),
        rename_command((database, one), (database, "aside"), false),
        rename_command((database, other), (database, one), false),
        rename_command((database, "aside"), (database, other), false),
        Action::Command(ensure(dice, database, one, 4)),
    ]
}

fn move_over(dice: &mut Dice, over: bool) -> Vec<Action> {
    let (from, to) = dice.two_names();
    let index = doc! { "key": { "n": 1 }, "name": "n_1" };
    let target = if over { Action::Command(ensure(dice, "two", to, 2)) } else { command("two", doc! { "drop": to }) };
    vec![
        Action::Command(ensure(dice, "one", from, 1)),
        Action::Command(ensure(dice, "one", from, 5)),
        command("one", doc! { "createIndexes": from, "indexes": [index] }),
        target,
        rename_command(("one", from), ("two", to), over),
    ]
}

fn validator(dice: &mut Dice) -> Vec<Action> {
    let (database, name) = (dice.database(), dice.name());
    let changes = [
        doc! { "collMod": name, "validator": some_validator(dice) },
        doc! { "collMod": name, "validationLevel": dice.pick(&["off", "moderate", "strict"]) },
        doc! { "collMod": name, "validator": {}, "validationAction": "warn" },
    ];
    let mut actions = vec![Action::Command(ensure(dice, database, name, 1))];
    for change in changes {
        if dice.mostly(0.4) {
            actions.push(command(database, change));
        }
    }
    actions
}

fn drop(dice: &mut Dice) -> Vec<Action> {
    vec![command(dice.database(), doc! { "drop": dice.name() })]
}

fn drop_database(dice: &mut Dice) -> Vec<Action> {
    let database = dice.database();
    vec![
        Action::Command(ensure(dice, database, "a", 1)),
        command(database, doc! { "dropDatabase": 1 }),
        Action::Command(ensure(dice, database, "b", 1)),
    ]
}

fn note(_: &mut Dice) -> Vec<Action> {
    vec![command("admin", doc! { "appendOplogNote": 1, "data": { "note": "of a user" } })]
}
