//! Transactions: small, of several databases, larger than an oplog entry, aborted, prepared, with catalog changes inside.

use bson::doc;

use super::{ALWAYS, Operation, operation, writes::ensure};
use crate::{
    action::{Action, Statement, on},
    dice::Dice,
};

/// Nothing else touches it: what a prepared transaction has written waits for its end.
const APART: &str = "apart";

pub const LIST: &[Operation] = &[
    operation("transaction", ALWAYS, 4, committed),
    operation("aborted transaction", ALWAYS, 1, aborted),
    operation("transaction over 16 MB", ALWAYS, 0, large),
    operation("transaction with catalog changes", (4, 4), 1, with_catalog_changes),
    operation("prepared transaction, committed", (4, 4), 1, |dice| prepared(dice, true)),
    operation("prepared transaction, aborted", (4, 4), 1, |dice| prepared(dice, false)),
];

fn statements(dice: &mut Dice) -> Vec<Statement> {
    let mut statements = Vec::new();
    for _ in 0..3 + dice.number(3) {
        let (database, name, id) = (dice.database(), dice.name(), dice.id());
        statements.push(match dice.number(4) {
            0 => on(database, doc! { "delete": name, "deletes": [{ "q": { "_id": { "$eq": id } }, "limit": 1 }] }),
            1 => {
                let update = doc! { "q": { "_id": { "$eq": id } }, "u": { "$set": { "t": dice.value() } } };
                on(database, doc! { "update": name, "updates": [update], "bypassDocumentValidation": true })
            }
            _ => ensure(dice, database, name, id),
        });
    }
    statements
}

/// Collections that a transaction of an old server can't create.
fn grounds(dice: &mut Dice, statements: &[Statement]) -> Vec<Action> {
    let mut grounds = Vec::new();
    for statement in statements {
        let name = statement.command.iter().next().and_then(|first| first.ok()?.1.as_str().map(str::to_owned));
        if let Some(name) = name.filter(|_| dice.mostly(0.5)) {
            let insert = doc! { "insert": name, "documents": [{ "_id": "ground" }], "bypassDocumentValidation": true };
            grounds.push(Action::Command(on(&statement.database, insert)));
        }
    }
    grounds
}

fn committed(dice: &mut Dice) -> Vec<Action> {
    let mut statements = statements(dice);
    statements.push(ensure(dice, "one", "a", 1));
    statements.push(ensure(dice, "two", "b", 1));
    let mut actions = grounds(dice, &statements);
    actions.push(Action::Transaction { statements, commit: true });
    actions.extend(certain());
    actions
}

/// What the other one meets may refuse it; this one never is.
fn certain() -> [Action; 2] {
    let ground = on(APART, doc! { "insert": "plain", "documents": [{ "_id": "ground" }] });
    let count = |id: i32| {
        let statement = doc! { "q": { "_id": id }, "u": { "$inc": { "n": 1 } }, "upsert": true };
        on(APART, doc! { "update": "plain", "updates": [statement] })
    };
    [Action::Command(ground), Action::Transaction { statements: vec![count(1), count(2)], commit: true }]
}

fn aborted(dice: &mut Dice) -> Vec<Action> {
    vec![Action::Transaction { statements: statements(dice), commit: false }]
}

/// Three documents of 6 MB, one of which is changed again by the same transaction.
fn large(dice: &mut Dice) -> Vec<Action> {
    let ground = on(APART, doc! { "insert": "large", "documents": [{ "_id": "ground" }] });
    let insert = |id: i32| {
        let document = doc! { "_id": id, "text": "large ".repeat(1_000_000) };
        let statement = doc! { "q": { "_id": id }, "u": document, "upsert": true };
        on(APART, doc! { "update": "large", "updates": [statement] })
    };
    let set = doc! { "q": { "_id": 1 }, "u": { "$set": { "n": dice.number(99) } } };
    let mut statements: Vec<Statement> = (0..3).map(insert).collect();
    statements.push(on(APART, doc! { "update": "large", "updates": [set] }));
    vec![Action::Command(ground), Action::Transaction { statements, commit: true }]
}

fn with_catalog_changes(dice: &mut Dice) -> Vec<Action> {
    let (database, name) = (dice.database(), dice.pick(&["born", "born too"]));
    let index = doc! { "key": { "n": 1 }, "name": "n_1", "sparse": true };
    let statements = vec![
        on(database, doc! { "create": name }),
        on(database, doc! { "createIndexes": name, "indexes": [index] }),
        on(database, doc! { "insert": name, "documents": [{ "_id": dice.number(9), "n": 1 }] }),
        ensure(dice, "one", "a", 2),
    ];
    vec![
        Action::Command(on(database, doc! { "drop": name })),
        Action::Command(ensure(dice, "one", "a", 2)),
        Action::Transaction { statements, commit: true },
    ]
}

/// Stays open until something else has been written.
fn prepared(dice: &mut Dice, commit: bool) -> Vec<Action> {
    let id = dice.number(5);
    let ground = ensure(dice, APART, "prepared", id);
    let update = doc! { "q": { "_id": id }, "u": { "$set": { "n": dice.value() } } };
    let statements = vec![
        on(APART, doc! { "update": "prepared", "updates": [update] }),
        on(APART, doc! { "delete": "prepared", "deletes": [{ "q": { "_id": 5 + id }, "limit": 1 }] }),
        on(APART, doc! { "insert": "prepared", "documents": [{ "_id": 5 + id, "n": dice.number(99) }] }),
    ];
    vec![
        Action::EndPrepared { commit },
        Action::Command(ground),
        Action::Prepare { statements },
        Action::Command(ensure(dice, "one", "a", 3)),
        Action::EndPrepared { commit },
    ]
}
