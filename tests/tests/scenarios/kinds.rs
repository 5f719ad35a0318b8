//! Collections of every kind, under writes.

use bson::{Bson, DateTime, Document, doc};
use mongodb::Client;
use mongoferry_protocol::Phase;
use mongoferry_testbed::{MongodVersion, ReplicaSet};
use mongoferry_tests::{Clusters, Migration};

/// A round of changes for each kind that the source has, and what they begin with.
struct Kinds {
    client: Client,
    time_series: bool,
    clustered: bool,
}

impl Kinds {
    async fn run(&self, database: &str, command: Document) {
        let done = self.client.database(database).run_command(command.clone()).await;
        let reply = done.unwrap_or_else(|error| panic!("{command}: {error}"));
        assert!(reply.get("writeErrors").is_none(), "{command}: {reply}");
    }

    async fn insert(&self, collection: &str, documents: Vec<Document>) {
        self.run("kinds", doc! {"insert": collection, "documents": documents}).await;
    }

    async fn seed(&self) {
        self.run("kinds", doc! {"create": "ring", "capped": true, "size": 65_536}).await;
        self.run("kinds", doc! {"create": "last", "capped": true, "size": 1 << 20, "max": 50}).await;
        let index = doc! {"key": {"n": -1}, "name": "by n", "unique": true};
        self.run("kinds", doc! {"createIndexes": "last", "indexes": [index]}).await;
        let german = doc! {"locale": "de", "strength": 2};
        self.run("kinds", doc! {"create": "words", "collation": german}).await;
        let indexes = vec![
            doc! {"key": {"a": 1}, "name": "as the collection"},
            doc! {"key": {"a": -1}, "name": "by bytes", "collation": {"locale": "simple"}},
            doc! {"key": {"b": 1}, "name": "french", "collation": {"locale": "fr"}, "unique": true, "sparse": true},
        ];
        self.run("kinds", doc! {"createIndexes": "words", "indexes": indexes}).await;
        self.insert("system.js", vec![doc! {"_id": "tax", "value": Bson::JavaScriptCode("x => x".into())}]).await;
        self.run("kinds", doc! {"create": "to cap"}).await;
        if self.time_series {
            let series = doc! {"timeField": "at", "metaField": "sensor", "granularity": "minutes"};
            let create = doc! {"create": "weather", "timeseries": series, "expireAfterSeconds": 1_000_000_000_i64};
            self.run("kinds", create).await;
            let indexes = vec![
                doc! {"key": {"sensor": 1, "at": -1}, "name": "by sensor"},
                doc! {"key": {"at": 1}, "name": "by time"},
            ];
            self.run("kinds", doc! {"createIndexes": "weather", "indexes": indexes}).await;
        }
        if self.clustered {
            let index = doc! {"key": {"_id": 1}, "unique": true, "name": "cluster"};
            let create = doc! {"create": "clustered", "clusteredIndex": index, "expireAfterSeconds": 1_000_000_000_i64};
            self.run("kinds", create).await;
        }
        for number in 0..20 {
            self.write(number).await;
        }
    }

    async fn write(&self, number: i32) {
        let text = "x".repeat(50 + (number as usize * 37) % 300);
        let several = |from: i32| (from..from + 5).map(|n| doc! {"_id": n, "n": n, "text": &text}).collect::<Vec<_>>();
        self.insert("ring", several(number * 5)).await;
        self.insert("last", several(number * 5)).await;
        let newest = doc! {"q": {"_id": number * 5 + 2}, "u": {"$set": {"text": "y".repeat(text.len())}}};
        self.run("kinds", doc! {"update": "ring", "updates": [newest]}).await;
        self.words(number).await;
        let source = Bson::JavaScriptCode(format!("() => {number}"));
        let function = doc! {"q": {"_id": format!("f{}", number % 7)}, "u": {"value": source}, "upsert": true};
        self.run("kinds", doc! {"update": "system.js", "updates": [function]}).await;
        if self.time_series {
            self.measure(number).await;
        }
        if self.clustered {
            self.insert("clustered", vec![doc! {"_id": number, "n": number}]).await;
            let update = doc! {"q": {"_id": number / 2}, "u": {"$inc": {"n": 1}}};
            self.run("kinds", doc! {"update": "clustered", "updates": [update]}).await;
            self.run("kinds", doc! {"delete": "clustered", "deletes": [{"q": {"_id": number / 3}, "limit": 1}]}).await;
        }
    }

    /// The same text in other letters: equal under the collation, another document byte for byte.
    async fn words(&self, number: i32) {
        let old = doc! {"q": {"_id": "wort"}, "limit": 1};
        self.run("kinds", doc! {"delete": "words", "deletes": [old]}).await;
        let spelled = ["wort", "Wort", "WORT", "wOrT"][number as usize % 4];
        let embedded = doc! {"of": number, "s": spelled};
        self.insert("words", vec![doc! {"_id": spelled, "a": spelled, "b": number}, doc! {"_id": embedded}]).await;
        let replacement = doc! {"q": {"_id": "wort"}, "u": {"_id": spelled, "a": "x", "b": number}};
        let update = doc! {"q": {"_id": "wort"}, "u": {"$set": {"c": number}}};
        self.run("kinds", doc! {"update": "words", "updates": [replacement, update]}).await;
    }

    async fn measure(&self, number: i32) {
        let at = |n: i64| DateTime::from_millis(1_790_000_000_000 + (i64::from(number) * 10 + n) * 1_000);
        let measured = |n: i64| doc! {"at": at(n), "sensor": n % 3, "celsius": number as f64 / 7.0, "n": n};
        self.insert("weather", (0..10).map(measured).collect()).await;
        // 5.0 deletes nothing of a time-series collection unless asked to at its start.
        if self.clustered && number % 6 == 5 {
            let gone = doc! {"q": {"sensor": number % 3}, "limit": 0};
            self.run("kinds", doc! {"delete": "weather", "deletes": [gone]}).await;
        }
    }

    /// Changes of the catalog, once.
    async fn catalog_changes(&self) {
        self.insert("to cap", (0..200).map(|n| doc! {"_id": n, "text": "z".repeat(100)}).collect()).await;
        self.run("kinds", doc! {"convertToCapped": "to cap", "size": 8_192}).await;
        self.insert("to cap", (200..230).map(|n| doc! {"_id": n, "text": "z".repeat(100)}).collect()).await;
        self.run("kinds", doc! {"cloneCollectionAsCapped": "ring", "toCollection": "ring2", "size": 16_384}).await;
        self.run("kinds", doc! {"create": "born capped", "capped": true, "size": 4_096, "max": 9}).await;
        self.insert("born capped", (0..20).map(|n| doc! {"_id": n}).collect()).await;
        self.run("admin", doc! {"renameCollection": "kinds.born capped", "to": "kinds.renamed capped"}).await;
        self.insert("renamed capped", (20..25).map(|n| doc! {"_id": n}).collect()).await;
        self.run("kinds", doc! {"create": "later", "collation": {"locale": "sv"}}).await;
        let index = doc! {"key": {"a": 1}, "name": "bytes", "collation": {"locale": "simple"}};
        self.run("kinds", doc! {"createIndexes": "later", "indexes": [index]}).await;
        if self.time_series {
            let series = doc! {"timeField": "at"};
            self.run("kinds", doc! {"create": "brief", "timeseries": series.clone()}).await;
            self.insert("brief", vec![doc! {"at": DateTime::from_millis(1_000), "x": 1}]).await;
            self.run("kinds", doc! {"drop": "brief"}).await;
            self.insert("brief", vec![doc! {"_id": 1, "plain": true}]).await;
            self.run("kinds", doc! {"drop": "brief"}).await;
            self.run("kinds", doc! {"create": "brief", "timeseries": series, "expireAfterSeconds": 999_999_999_i64})
                .await;
            self.insert("brief", vec![doc! {"at": DateTime::from_millis(1_790_000_000_000), "x": 2}]).await;
            self.run("kinds", doc! {"collMod": "weather", "timeseries": {"granularity": "hours"}}).await;
            self.run("kinds", doc! {"collMod": "weather", "expireAfterSeconds": 900_000_000_i64}).await;
            self.run("kinds", doc! {"dropIndexes": "weather", "index": "by time"}).await;
        }
        if self.clustered {
            self.run("kinds", doc! {"collMod": "clustered", "expireAfterSeconds": 900_000_000_i64}).await;
            self.run("kinds", doc! {"collMod": "ring", "cappedSize": 131_072}).await;
        }
    }
}

async fn migrate(version: MongodVersion) {
    let source = ReplicaSet::builder().version(version).start();
    let (source, destination) = tokio::try_join!(source, ReplicaSet::single()).expect("two replica sets");
    let clusters = Clusters { source, destination };
    let has = |least: MongodVersion| version >= least;
    let kinds = Kinds {
        client: clusters.source_client().await,
        time_series: has(MongodVersion::V5_0_4),
        clustered: has(MongodVersion::V6_0_5),
    };
    kinds.seed().await;
    let (stop, mut stopped) = tokio::sync::oneshot::channel::<()>();
    let state = tempfile::tempdir().expect("a directory");
    let mut migration = Migration::between(&clusters, state.path()).start();
    let writer = tokio::spawn(async move {
        let mut number = 20;
        while stopped.try_recv().is_err() {
            kinds.write(number).await;
            number += 1;
        }
        kinds
    });
    migration.wait_for_phase(Phase::Ready).await;
    stop.send(()).expect("the writer listens");
    let kinds = writer.await.expect("every write succeeds");
    kinds.catalog_changes().await;
    migration.post("commit").await;
    migration.end_committed().await;
    clusters.assert_equal().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_from_6_0() {
    migrate(MongodVersion::V6_0_5).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_from_5_0() {
    migrate(MongodVersion::V5_0_4).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_from_4_2() {
    migrate(MongodVersion::V4_2_6).await;
}
