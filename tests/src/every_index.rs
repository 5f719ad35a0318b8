//! Indexes of every kind and option, and histories of documents that such indexes would refuse half-way.

use bson::{Document, doc};
use mongodb::Client;

/// In this order; two of them differ in uniqueness alone.
pub fn every_index() -> Vec<Document> {
    vec![
        doc! {"key": {"plain": 1, "other.nested": -1}, "name": "plain"},
        doc! {"key": {"email": 1}, "name": "email", "unique": true},
        doc! {"key": {"at": 1}, "name": "at", "expireAfterSeconds": 1},
        doc! {"key": {"n": 1}, "name": "n", "unique": true, "partialFilterExpression": {"n": {"$gt": 5}}},
        doc! {"key": {"a": 1}, "name": "a sparse", "sparse": true},
        doc! {"key": {"title": "text", "body": "text"}, "name": "words", "weights": {"title": 3},
        "default_language": "german", "language_override": "tongue"},
        doc! {"key": {"place": "2dsphere", "n": 1}, "name": "place"},
        doc! {"key": {"point": "2d"}, "name": "point", "min": -10.0, "max": 10.0, "bits": 20},
        doc! {"key": {"h": "hashed"}, "name": "hashed"},
        doc! {"key": {"h": "hashed", "n": 1}, "name": "hashed n"},
        doc! {"key": {"secret": 1}, "name": "secret", "hidden": true},
        doc! {"key": {"all.$**": 1}, "name": "wild"},
        doc! {"key": {"$**": 1}, "name": "wilder", "wildcardProjection": {"email": 0, "all": 0, "many": 0}},
        doc! {"key": {"name": 1}, "name": "name de", "collation": {"locale": "de", "strength": 2}},
        doc! {"key": {"email": 1}, "name": "email fr", "collation": {"locale": "fr", "caseLevel": true}, "unique": true},
        doc! {"key": {"one": 1, "two": 1}, "name": "pair", "unique": true, "sparse": true},
        doc! {"key": {"b": 1}, "name": "b soon", "expireAfterSeconds": 2_000_000_000},
        doc! {"key": {"c": 1}, "name": "c plain"},
        doc! {"key": {"c": 1}, "name": "c unique", "unique": true, "hidden": true},
        doc! {"key": {"last": 1}, "name": "last", "storageEngine": {"wiredTiger": {"configString": "prefix_compression=false"}}},
    ]
}

/// A document that every one of these indexes holds, expired long ago by one of them.
pub fn indexed_document(id: i32) -> Document {
    doc! {
        "_id": id, "plain": [id, 1], "other": {"nested": id}, "email": format!("{id}@example.net"),
        "at": bson::DateTime::from_millis(946_684_800_000), "n": id, "a": id, "title": "ein Wort", "tongue": "english",
        "place": {"type": "Point", "coordinates": [id % 90, 5]}, "point": [id % 10, 3], "h": id, "secret": id,
        "all": {"nested": [{"x": id}]}, "name": format!("Ä{id}"), "one": id, "two": id, "b": id, "c": id,
    }
}

/// Takes each document, while no index stands there yet, through states that an index will refuse, to one that fits.
pub async fn pass_through_misfits(client: &Client, database: &str, collection: &str) {
    let misfits = [
        doc! {"place": {"type": "Point", "coordinates": [1_000, 1_000]}},
        doc! {"point": [500, 500]},
        doc! {"point": [1]},
        doc! {"point": ["a", "b"]},
        doc! {"h": [1, 2, 3]},
        doc! {"tongue": 5},
        doc! {"tongue": "klingon"},
        doc! {"one": [1, 2], "two": [3, 4]},
        doc! {"plain": [1, 2], "other": [{"nested": 1}, {"nested": 2}]},
    ];
    for (id, misfit) in (100..).zip(misfits) {
        let collection = client.database(database).collection::<Document>(collection);
        collection.insert_one(indexed_document(id)).await.expect("is inserted");
        collection.update_one(doc! {"_id": id}, doc! {"$set": misfit}).await.expect("is updated");
        let mut fits = indexed_document(id);
        fits.remove("_id");
        collection.update_one(doc! {"_id": id}, doc! {"$set": fits}).await.expect("is updated");
    }
}

/// Documents trade the values of a unique index, and one is deleted and another inserted with its value.
pub async fn trade_unique_keys(client: &Client, database: &str, collection: &str) {
    let collection = client.database(database).collection::<Document>(collection);
    let set = async |id: i32, email: &str| {
        collection.update_one(doc! {"_id": id}, doc! {"$set": {"email": email}}).await.expect("is updated");
    };
    for id in (0..20).step_by(2) {
        set(id, "in between").await;
        set(id + 1, &format!("{id}@example.net")).await;
        set(id, &format!("{}@example.net", id + 1)).await;
    }
    for id in 20..30 {
        collection.delete_one(doc! {"_id": id}).await.expect("is deleted");
        let mut heir = indexed_document(id);
        heir.insert("_id", id + 1_000);
        collection.insert_one(heir).await.expect("is inserted");
    }
}
