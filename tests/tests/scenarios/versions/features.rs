//! What servers offer, as commands on the source: before the migration, during the copy, and when it is ready.

use mongodb::bson::{Bson, Document, doc};
use mongoferry_testbed::MongodVersion;

/// A database and a command.
pub type Command = (&'static str, Document);

pub struct Feature {
    pub name: &'static str,
    since: MongodVersion,
    pub before: Vec<Command>,
    pub during: Vec<Command>,
    pub when_ready: Vec<Command>,
}

/// All features that servers of `version` have.
pub fn up_to(version: MongodVersion) -> Vec<Feature> {
    let all = [
        index_kinds(),
        hidden_indexes(),
        unique_indexes(),
        expiring_indexes(),
        views(),
        validators(),
        changes_of_every_kind(),
        updates_in_place(),
        odd_names(),
        names_with_dollars(),
        names_that_change_hands(),
    ];
    all.into_iter().filter(|feature| feature.since <= version).collect()
}

fn on(database: &'static str, commands: impl IntoIterator<Item = Document>) -> Vec<Command> {
    commands.into_iter().map(|command| (database, command)).collect()
}

fn insert(collection: &str, documents: Vec<Document>) -> Document {
    doc! { "insert": collection, "documents": documents }
}

fn update(collection: &str, id: i32, update: impl Into<Bson>) -> Document {
    doc! { "update": collection, "updates": [{ "q": { "_id": id }, "u": update.into() }] }
}

fn indexes(collection: &str, indexes: Vec<Document>) -> Document {
    doc! { "createIndexes": collection, "indexes": indexes }
}

fn numbered(count: i32) -> Vec<Document> {
    (0..count).map(|n| doc! { "_id": n, "n": n, "text": format!("text {n}"), "at": [f64::from(n), 1.0] }).collect()
}

fn index_kinds() -> Feature {
    let kinds = vec![
        doc! { "key": { "n": 1 }, "name": "single" },
        doc! { "key": { "n": -1, "text": 1 }, "name": "compound", "background": true },
        doc! { "key": { "n": 1.0, "x": 1_i64 }, "name": "numbers" },
        doc! { "key": { "s": 1 }, "name": "sparse", "sparse": true },
        doc! { "key": { "p": 1 }, "name": "partial", "partialFilterExpression": { "n": { "$gt": 5 } } },
        doc! { "key": { "c": 1 }, "name": "collated", "collation": { "locale": "fr", "strength": 1 } },
        doc! { "key": { "text": "text", "more": "text" }, "name": "words", "weights": { "text": 3 }, "default_language": "german" },
        doc! { "key": { "n": "hashed" }, "name": "hashed" },
        doc! { "key": { "at": "2d" }, "name": "flat", "bits": 20, "min": -200.0, "max": 200.0 },
        doc! { "key": { "place": "2dsphere", "n": 1 }, "name": "sphere" },
        doc! { "key": { "$**": 1 }, "name": "wildcard", "wildcardProjection": { "n": 0 } },
        doc! { "key": { "v.$**": 1 }, "name": "wildcard_below" },
        doc! { "key": { "old": 1 }, "name": "first_version", "v": 1 },
    ];
    Feature {
        name: "kinds of indexes",
        since: MongodVersion::V4_2_6,
        before: on(
            "kinds",
            [insert("before", numbered(30)), indexes("before", kinds.clone()), insert("during", numbered(30))],
        ),
        during: on("kinds", [indexes("during", kinds), doc! { "dropIndexes": "before", "index": "single" }]),
        when_ready: on(
            "kinds",
            [indexes("late", vec![doc! { "key": { "n": 1 }, "name": "late" }]), insert("late", numbered(3))],
        ),
    }
}

fn hidden_indexes() -> Feature {
    let set = |name: &str, hidden: bool| doc! { "collMod": "hidden", "index": { "name": name, "hidden": hidden } };
    Feature {
        name: "hidden indexes",
        since: MongodVersion::V4_4_2,
        before: on(
            "kinds",
            [
                insert("hidden", numbered(10)),
                indexes("hidden", ["a", "b"].map(|f| doc! { "key": { f: 1 }, "name": f, "hidden": true }).to_vec()),
                indexes("hidden", vec![doc! { "key": { "n": 1 }, "name": "shown" }]),
                indexes("hidden", vec![doc! { "key": { "n": "hashed", "a": 1 }, "name": "compound_hashed" }]),
            ],
        ),
        during: on("kinds", [set("a", false)]),
        when_ready: on("kinds", [set("shown", true)]),
    }
}

/// Two documents trade their keys.
fn unique_indexes() -> Feature {
    let spec = doc! { "key": { "key": 1 }, "name": "key", "unique": true };
    let trade = |one: &str, other: &str| {
        [
            update("unique", 1, doc! { "$set": { "key": "aside" } }),
            update("unique", 2, doc! { "$set": { "key": one } }),
            update("unique", 1, doc! { "$set": { "key": other } }),
        ]
    };
    Feature {
        name: "unique indexes",
        since: MongodVersion::V4_2_6,
        before: on(
            "kinds",
            [
                insert("unique", vec![doc! { "_id": 1, "key": "a" }, doc! { "_id": 2, "key": "b" }]),
                indexes(
                    "unique",
                    vec![spec, doc! { "key": { "x": 1 }, "name": "sparse", "unique": true, "sparse": true }],
                ),
            ],
        ),
        during: on("kinds", trade("a", "b")),
        when_ready: on("kinds", trade("b", "a")),
    }
}

/// What would expire at once stays, as the source's own expiry is far off; the destination must not be earlier.
fn expiring_indexes() -> Feature {
    let spec = |name: &str, seconds: i32| doc! { "key": { name: 1 }, "name": name, "expireAfterSeconds": seconds };
    let set = |name: &str, seconds: i32| doc! { "collMod": "expiring", "index": { "name": name, "expireAfterSeconds": seconds } };
    Feature {
        name: "expiry",
        since: MongodVersion::V4_2_6,
        before: on(
            "kinds",
            [
                insert(
                    "expiring",
                    vec![doc! { "_id": 1, "a": mongodb::bson::DateTime::now(), "b": mongodb::bson::DateTime::now() }],
                ),
                indexes("expiring", vec![spec("a", 3_600), spec("b", 86_400), spec("c", 0)]),
            ],
        ),
        during: on("kinds", [set("a", 7_200)]),
        when_ready: on("kinds", [set("b", 43_200)]),
    }
}

fn views() -> Feature {
    Feature {
        name: "views",
        since: MongodVersion::V4_2_6,
        before: on(
            "seen",
            [
                insert("base", numbered(5)),
                doc! { "create": "view", "viewOn": "base", "pipeline": [{ "$match": { "n": { "$gt": 1 } } }] },
                doc! {"create": "of_view", "viewOn": "view", "pipeline": [] },
                doc! { "create": "gone", "viewOn": "base", "pipeline": [] },
            ],
        ),
        during: on("seen", [doc! { "drop": "gone" }, doc! { "create": "late", "viewOn": "of_view", "pipeline": [] }]),
        when_ready: on("seen", [doc! { "collMod": "view", "viewOn": "base", "pipeline": [{ "$limit": 2 }] }]),
    }
}

/// Documents that violate the validator arrive as well.
fn validators() -> Feature {
    let violating = |id: i32| doc! { "insert": "checked", "documents": [{ "_id": id, "n": "no" }], "bypassDocumentValidation": true };
    Feature {
        name: "validators",
        since: MongodVersion::V4_2_6,
        before: on(
            "checked",
            [
                doc! { "create": "checked", "validator": { "n": { "$type": "int" } }, "validationAction": "error" },
                violating(1),
                insert("checked", vec![doc! { "_id": 2, "n": 2 }]),
            ],
        ),
        during: on("checked", [violating(3), doc! { "collMod": "checked", "validationLevel": "moderate" }]),
        when_ready: on(
            "checked",
            [violating(4), doc! { "collMod": "checked", "validator": { "$jsonSchema": { "required": ["n"] } } }],
        ),
    }
}

fn changes_of_every_kind() -> Feature {
    let out = doc! { "aggregate": "from", "pipeline": [{ "$match": { "n": { "$lt": 4 } } }, { "$out": "result" }], "cursor": {} };
    let merge = doc! { "aggregate": "from", "pipeline": [{ "$merge": { "into": "merged" } }], "cursor": {} };
    Feature {
        name: "changes of the catalog",
        since: MongodVersion::V4_2_6,
        before: [
            on("changed", ["from", "result", "renamed", "replaced", "dropped"].map(|name| insert(name, numbered(8)))),
            on("gone", [insert("one", numbered(3)), insert("two", numbered(3))]),
        ]
        .concat(),
        during: [
            on("changed", [out, merge, doc! { "drop": "dropped" }, insert("dropped", numbered(2))]),
            on("gone", [doc! { "dropDatabase": 1 }]),
            on("admin", [doc! { "renameCollection": "changed.renamed", "to": "changed.replaced", "dropTarget": true }]),
        ]
        .concat(),
        when_ready: on(
            "changed",
            [doc! { "create": "empty" }, doc! { "delete": "from", "deletes": [{ "q": { "n": 1 }, "limit": 0 }] }],
        ),
    }
}

fn updates_in_place() -> Feature {
    let steps = |id: i32| {
        [
            update(
                "deltas",
                id,
                doc! { "$set": { "a.list.2.x": 1, "10": 1, "9": 1, "new.deep.er": [1] }, "$unset": { "a.gone": "" } },
            ),
            update("deltas", id, doc! { "$push": { "a.list": { "$each": [5, 4], "$sort": 1, "$slice": 4 } } }),
            update(
                "deltas",
                id,
                doc! { "$set": { "a.list.8": "far" }, "$rename": { "text": "words" }, "$inc": { "n": 5 } },
            ),
            update("deltas", id, doc! { "$unset": { "a.list.1": "" }, "$pull": { "a.other": 2 } }),
            update(
                "deltas",
                id,
                vec![doc! { "$set": { "n": { "$add": ["$n", 1] }, "a.list": { "$slice": ["$a.list", 3] } } }],
            ),
        ]
    };
    let documents = |from: i32| {
        (from..from + 10)
            .map(|id| doc! { "_id": id, "n": id, "text": "t", "a": { "gone": 1, "list": [1, 2], "other": [1, 2, 3] } })
            .collect()
    };
    Feature {
        name: "updates in place",
        since: MongodVersion::V4_2_6,
        before: on("updates", [insert("deltas", documents(0))]),
        during: on("updates", (0..5).flat_map(steps)),
        when_ready: on("updates", (5..10).flat_map(steps)),
    }
}

fn odd_names() -> Feature {
    let odd = |id: i32| doc! { "_id": id, "a.b": { "": 1, "c.d": [id] }, "": id, "0": "zero", "n": 1 };
    Feature {
        name: "odd names",
        since: MongodVersion::V4_2_6,
        before: on(
            "odd",
            [
                insert("a name with spaces, dots... and ünicode", vec![odd(1), odd(2)]),
                insert("fields", vec![odd(1), odd(2)]),
            ],
        ),
        during: on(
            "odd",
            [
                update("fields", 1, doc! { "$set": { "0": 1, "n": 2 } }),
                insert("fields", vec![doc! { "_id": 3, "inside": { "$any": 1 }, "n": 1 }]),
            ],
        ),
        when_ready: on(
            "odd",
            [
                update("fields", 2, doc! { "$set": { "more": { "x.y": 1 } } }),
                update("fields", 3, doc! { "$set": { "n": 2 } }),
            ],
        ),
    }
}

fn names_with_dollars() -> Feature {
    let set = |id: i32| {
        let input = doc! { "$setField": { "field": { "$literal": "$price" }, "input": "$$ROOT", "value": id } };
        update("dollars", id, vec![doc! { "$replaceWith": input }])
    };
    Feature {
        name: "names with dollars",
        since: MongodVersion::V5_0_4,
        before: on("odd", [insert("dollars", vec![doc! { "_id": 1, "$price": 0, "a.b": 1 }, doc! { "_id": 2 }])]),
        during: on("odd", [set(1)]),
        when_ready: on("odd", [set(2)]),
    }
}

fn names_that_change_hands() -> Feature {
    let rename = |from: &str, to: &str| {
        ("admin", doc! { "renameCollection": format!("hands.{from}"), "to": format!("hands.{to}") })
    };
    let trade = || vec![rename("a", "c"), rename("b", "a"), rename("c", "b")];
    Feature {
        name: "names that change hands",
        since: MongodVersion::V4_2_6,
        before: on("hands", [insert("a", numbered(20)), insert("b", numbered(5))]),
        during: trade(),
        when_ready: [on("hands", [insert("a", vec![doc! { "_id": "late" }])]), trade()].concat(),
    }
}
