//! Collections of one database, and every change of the catalog that can befall them.

use bson::{Document, doc};
use mongodb::Client;

/// A database to be changed once.
pub struct CatalogHistory<'a> {
    client: &'a Client,
    database: String,
}

/// How much is in the collections that `change` takes away or replaces; the others are always small.
#[derive(Clone, Copy, Debug)]
pub enum Filling {
    Small,
    /// In MiB: those read in one range, and the one that is read in several.
    Large {
        whole: i32,
        divided: i32,
    },
}

const SMALL: [&str; 10] =
    ["out source", "over source", "over target", "x", "y", "across", "across over", "indexed", "merged", "kept"];
/// Documents of a large collection.
const LARGE_TEXT: usize = 128 * 1024;

impl<'a> CatalogHistory<'a> {
    pub fn of(client: &'a Client, database: &str) -> Self {
        Self { client, database: database.to_owned() }
    }

    /// Collections that `change` takes away or replaces.
    pub fn victims(&self) -> Vec<String> {
        ["renamed later", "dropped", "recreated", "replaced"].map(|name| format!("{}.{name}", self.database)).to_vec()
    }

    pub async fn fill(&self, filling: Filling) {
        for name in SMALL {
            self.insert(&self.database, name, 50, 100).await;
        }
        let (whole, divided, text) = match filling {
            Filling::Small => (50, 50, 100),
            Filling::Large { whole, divided } => (whole * 8, divided * 8, LARGE_TEXT),
        };
        for name in ["renamed later", "dropped", "recreated"] {
            self.insert(&self.database, name, whole, text).await;
        }
        self.insert(&self.database, "replaced", divided, text).await;
        self.run(doc! {"createIndexes": "replaced", "indexes": [{"key": {"n": 1}, "name": "n", "unique": true}]}).await;
        let indexes = vec![
            doc! {"key": {"at": 1}, "name": "at", "expireAfterSeconds": 1_000_000},
            doc! {"key": {"n": 1}, "name": "n"},
            doc! {"key": {"m": 1}, "name": "m"},
        ];
        self.run(doc! {"createIndexes": "indexed", "indexes": indexes}).await;
        self.insert(&self.other(), "across over", 10, 100).await;
        self.insert(&self.gone(), "once", 20, 100).await;
        self.insert(&self.gone(), "again", 20, 100).await;
    }

    /// Renames, drops, creates anew, `$out`, `$merge`, within and across databases; indexes, options; with writes between.
    pub async fn change(&self) {
        self.rename("renamed later", &self.name("renamed"), false).await;
        self.touch("renamed").await;
        self.run(doc! {"drop": "dropped"}).await;
        self.recreate().await;
        self.aggregate("out source", vec![doc! {"$match": {"n": {"$lt": 30}}}, doc! {"$out": "replaced"}]).await;
        self.touch("replaced").await;
        self.aggregate("out source", vec![doc! {"$out": "out new"}]).await;
        self.aggregate("out source", vec![doc! {"$set": {"merged": true}}, doc! {"$merge": {"into": "merged"}}]).await;
        self.aggregate("out source", vec![doc! {"$out": {"db": self.other(), "coll": "out across"}}]).await;
        self.rename("over source", &self.name("over target"), true).await;
        self.touch("over target").await;
        for (from, to) in [("x", "between"), ("y", "x"), ("between", "y")] {
            self.rename(from, &self.name(to), false).await;
            self.touch(to).await;
        }
        self.rename("across", &format!("{}.across", self.other()), false).await;
        self.rename("across over", &format!("{}.across over", self.other()), true).await;
        self.change_indexes().await;
        self.client.database(&self.gone()).drop().await.expect("is dropped");
        self.insert(&self.gone(), "again", 7, 100).await;
        self.insert(&self.database, "brief", 10, 100).await;
        self.run(doc! {"drop": "brief"}).await;
        self.insert(&self.database, "fresh", 10, 100).await;
        self.run(doc! {"create": "empty", "validator": {"n": {"$gt": 5}}, "validationAction": "warn"}).await;
        self.touch("kept").await;
    }

    /// The same name and the same `_id`s; everything else is another.
    async fn recreate(&self) {
        self.run(doc! {"drop": "recreated"}).await;
        self.run(doc! {"create": "recreated", "validator": {"n": {"$exists": true}}, "validationLevel": "moderate"})
            .await;
        self.run(doc! {"createIndexes": "recreated", "indexes": [{"key": {"other": -1}, "name": "n"}]}).await;
        self.insert(&self.database, "recreated", 30, 40).await;
        self.touch("recreated").await;
    }

    async fn change_indexes(&self) {
        self.run(doc! {"dropIndexes": "indexed", "index": "n"}).await;
        self.run(doc! {"createIndexes": "indexed", "indexes": [{"key": {"n": -1}, "name": "n"}, {"key": {"text": "text"}, "name": "words"}]}).await;
        self.run(doc! {"collMod": "indexed", "index": {"name": "at", "expireAfterSeconds": 2_000_000}}).await;
        self.run(doc! {"collMod": "indexed", "index": {"name": "m", "hidden": true}}).await;
        self.run(doc! {"collMod": "indexed", "validator": {"n": {"$gte": 0}}, "validationLevel": "strict", "validationAction": "warn"}).await;
        self.touch("indexed").await;
    }

    /// A change to every document, an insert and a delete.
    async fn touch(&self, collection: &str) {
        self.run(doc! {"update": collection, "updates": [{"q": {}, "u": {"$inc": {"touched": 1}}, "multi": true}]})
            .await;
        self.run(doc! {"insert": collection, "documents": [{"n": 1_000_000, "touched": 0}]}).await;
        self.run(doc! {"delete": collection, "deletes": [{"q": {"n": 3}, "limit": 1}]}).await;
        self.run(doc! {"delete": collection, "deletes": [{"q": {"n": 1_000_000}, "limit": 0}]}).await;
    }

    async fn insert(&self, database: &str, collection: &str, count: i32, text: usize) {
        let text = "x".repeat(text);
        for first in (0..count).step_by(64) {
            let documents: Vec<Document> = (first..count.min(first + 64))
                .map(|n| doc! {"_id": n, "n": n, "m": n % 7, "from": format!("{database}.{collection}"), "text": &text})
                .collect();
            let insert = doc! {"insert": collection, "documents": documents, "writeConcern": {"w": 1}};
            let reply = self.client.database(database).run_command(insert).await.expect("is inserted");
            assert!(!reply.contains_key("writeErrors"), "{reply}");
        }
    }

    async fn rename(&self, from: &str, to: &str, drop_target: bool) {
        let command = doc! {"renameCollection": self.name(from), "to": to, "dropTarget": drop_target};
        self.client.database("admin").run_command(command).await.expect("is renamed");
    }

    async fn aggregate(&self, collection: &str, pipeline: Vec<Document>) {
        self.run(doc! {"aggregate": collection, "pipeline": pipeline, "cursor": {}}).await;
    }

    async fn run(&self, command: Document) {
        let reply = self.client.database(&self.database).run_command(command.clone()).await;
        let reply = reply.unwrap_or_else(|error| panic!("{}: {command}: {error}", self.database));
        assert!(!reply.contains_key("writeErrors"), "{command}: {reply}");
    }

    fn name(&self, collection: &str) -> String {
        format!("{}.{collection}", self.database)
    }

    fn other(&self) -> String {
        format!("{}-other", self.database)
    }

    fn gone(&self) -> String {
        format!("{}-gone", self.database)
    }
}
