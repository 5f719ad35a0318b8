//! Collections with every option and every kind of name, and views on views.

use bson::{Bson, Document, doc};
use mongodb::Client;

/// Fills databases whose names begin with `prefix`.
pub async fn fill_every_collection(client: &Client, prefix: &str) {
    let main = Filler { client, database: prefix.to_owned() };
    for (name, options) in options() {
        main.create(name, options).await;
        main.insert(name).await;
    }
    main.create("empty", doc! {}).await;
    for name in names() {
        main.insert(&name).await;
    }
    main.create("first view", doc! {"viewOn": "strict", "pipeline": [{"$match": {"n": {"$lt": 5}}}]}).await;
    main.create("view on a view", doc! {"viewOn": "first view", "pipeline": [{"$project": {"n": 1}}]}).await;
    main.create(
        "view with collation",
        doc! {"viewOn": "no such collection", "collation": {"locale": "sv", "strength": 1}},
    )
    .await;
    main.create("view on nothing", doc! {"viewOn": "no such collection"}).await;
    main.grid_fs().await;
    for suffix in ["-x", "_x", "x", "é"] {
        Filler { client, database: format!("{prefix}{suffix}") }.insert("same name").await;
    }
}

/// Changes what `fill_every_collection` has made.
pub async fn change_every_collection(client: &Client, prefix: &str) {
    let main = Filler { client, database: prefix.to_owned() };
    let names = options().into_iter().map(|(name, _)| name.to_owned()).chain(names());
    for name in names {
        main.run(doc! {"update": &name, "updates": [{"q": {}, "u": {"$inc": {"n": 1}, "$set": {"wrong": "x"}}, "multi": true}],
            "bypassDocumentValidation": true}).await;
    }
    main.run(doc! {"collMod": "strict", "validator": {"n": {"$type": "string"}}, "validationLevel": "off"}).await;
    main.run(doc! {"collMod": "first view", "viewOn": "warned", "pipeline": []}).await;
    main.run(doc! {"collMod": "images", "changeStreamPreAndPostImages": {"enabled": false}}).await;
    main.run(doc! {"collMod": "plain", "changeStreamPreAndPostImages": {"enabled": true}}).await;
    main.run(doc! {"drop": "view with collation"}).await;
    main.create("late view", doc! {"viewOn": "plain", "pipeline": [{"$set": {"late": true}}]}).await;
}

fn options() -> Vec<(&'static str, Document)> {
    let compressed = doc! {"wiredTiger": {"configString": "block_compressor=zlib"}};
    let schema =
        doc! {"$jsonSchema": {"bsonType": "object", "required": ["n"], "properties": {"n": {"bsonType": "string"}}}};
    vec![
        ("plain", doc! {}),
        (
            "strict",
            doc! {"validator": {"n": {"$type": "string"}}, "validationLevel": "strict", "validationAction": "error"},
        ),
        ("moderate", doc! {"validator": schema, "validationLevel": "moderate"}),
        ("warned", doc! {"validator": {"$expr": {"$gt": ["$n", 1_000]}}, "validationAction": "warn"}),
        ("images", doc! {"changeStreamPreAndPostImages": {"enabled": true}}),
        ("compressed", doc! {"storageEngine": compressed}),
        (
            "index defaults",
            doc! {"indexOptionDefaults": {"storageEngine": {"wiredTiger": {"configString": "prefix_compression=false"}}}},
        ),
        ("simple", doc! {"collation": {"locale": "simple"}}),
    ]
}

fn names() -> Vec<String> {
    let mut names = [
        " leading and trailing ",
        "a.b..c",
        "ünïcödé 日本 🚀",
        "quote\"'`\\/",
        "1",
        "-",
        "*",
        "null",
        "systematic",
        "tmp",
    ]
    .map(ToOwned::to_owned)
    .to_vec();
    names.extend(["x".repeat(110), format!("long.{}", "y".repeat(230))]);
    names
}

struct Filler<'a> {
    client: &'a Client,
    database: String,
}

impl Filler<'_> {
    async fn create(&self, name: &str, options: Document) {
        let mut command = doc! {"create": name};
        command.extend(options);
        self.run(command).await;
    }

    /// Also where the validator says no.
    async fn insert(&self, name: &str) {
        let documents: Vec<Bson> = (0..10).map(|n| doc! {"_id": n, "n": n}.into()).collect();
        self.run(doc! {"insert": name, "documents": documents, "bypassDocumentValidation": true}).await;
    }

    async fn grid_fs(&self) {
        let bytes = bson::Binary { subtype: bson::spec::BinarySubtype::Generic, bytes: vec![7; 255 * 1024] };
        for file in 0..3 {
            let chunks: Vec<Bson> =
                (0..4).map(|n| doc! {"files_id": file, "n": n, "data": bytes.clone()}.into()).collect();
            self.run(doc! {"insert": "fs.chunks", "documents": chunks}).await;
            let about = doc! {"_id": file, "length": 4_i64 * 255 * 1024, "chunkSize": 255 * 1024, "filename": format!("{file}.bin")};
            self.run(doc! {"insert": "fs.files", "documents": [about]}).await;
        }
        self.run(doc! {"createIndexes": "fs.files", "indexes": [{"key": {"filename": 1, "uploadDate": 1}, "name": "filename_1_uploadDate_1"}]}).await;
        self.run(doc! {"createIndexes": "fs.chunks", "indexes": [{"key": {"files_id": 1, "n": 1}, "name": "files_id_1_n_1", "unique": true}]}).await;
    }

    async fn run(&self, command: Document) {
        let reply = self.client.database(&self.database).run_command(command.clone()).await;
        let reply = reply.unwrap_or_else(|error| panic!("{}: {command}: {error}", self.database));
        assert!(!reply.contains_key("writeErrors"), "{command}: {reply}");
    }
}
