use bson::{Bson, Document, doc};
use mongodb::{Client, ClientSession};
use mongoferry_protocol::Phase;
use mongoferry_tests::{
    Clusters, Migration,
    every_collection::{change_every_collection, fill_every_collection},
};

/// GIVEN collections of every kind, index builds and a transaction that are under way when the capture begins WHEN they end
/// while it goes on, well or not, and users write transactions of every form THEN the destination has what the source has.
#[tokio::test(flavor = "multi_thread")]
async fn collections_and_entries_of_every_kind_arrive() {
    let clusters = Clusters::with_fail_points().await;
    let source = clusters.source_client().await;
    fill_every_collection(&source, "all").await;
    leave_temporary_collections(&source).await;
    for name in ["early build", "aborted build", "late build"] {
        insert(&source, name, (0..50).map(|n| doc! {"_id": n, "n": n / 2}).collect()).await;
    }
    let builds = HeldBuilds::hold(&source).await;
    let early = builds.begin("early build", doc! {"key": {"n": 1}, "name": "n"}).await;
    let aborted = builds.begin("aborted build", doc! {"key": {"n": 1}, "name": "never", "unique": true}).await;
    let mut prepared = source.start_session().await.expect("a session");
    let prepared_at = prepare(&source, &mut prepared, "early").await;

    let state = tempfile::tempdir().expect("a directory");
    let mut migration = Migration::between(&clusters, state.path()).start();
    migration.wait_for("capture has begun", |status| status.captured_optime.is_some()).await;
    let late = builds.begin("late build", doc! {"key": {"n": -1}, "name": "n"}).await;
    builds.release().await;
    early.await.expect("no panic").expect("is built");
    late.await.expect("no panic").expect("is built");
    aborted.await.expect("no panic").expect_err("two documents have the same key");
    commit_prepared(&source, &mut prepared, prepared_at).await;
    write_transactions(&source, "captured").await;
    change_every_collection(&source, "all").await;

    migration.wait_for("ready and idle", |status| status.phase == Phase::Ready && status.gap_closed).await;
    fill_every_collection(&source, "late").await;
    change_every_collection(&source, "late").await;
    write_transactions(&source, "late").await;
    let note = doc! {"appendOplogNote": 1, "data": {"note": "nothing"}};
    source.database("admin").run_command(note).await.expect("is noted");
    migration.wait_for("all is applied", |status| status.gap_closed).await;
    migration.post("commit").await;
    migration.end_committed().await;
    clusters.assert_equal().await;
    let left = clusters.destination_client().await.database("entries").list_collection_names().await.expect("lists");
    assert!(!left.iter().any(|name| name.starts_with("tmp")), "{left:?}");
}

/// As a server leaves them that was killed in the middle of an `$out` or a rename.
async fn leave_temporary_collections(source: &Client) {
    for name in ["tmp.agg_out.6b1f", "tmpAbCdE.renameCollection"] {
        let id_index = doc! {"v": 2, "key": {"_id": 1}, "name": "_id_"};
        let create = doc! {"op": "c", "ns": "entries.$cmd", "o": {"create": name, "temp": true, "idIndex": id_index}};
        source.database("admin").run_command(doc! {"applyOps": [create]}).await.expect("is created");
        insert(source, name, vec![doc! {"_id": 1}]).await;
    }
}

async fn insert(source: &Client, collection: &str, documents: Vec<Document>) {
    source.database("entries").collection(collection).insert_many(documents).await.expect("are inserted");
}

/// Index builds that do not go on until they are released.
struct HeldBuilds<'a> {
    source: &'a Client,
}

type Build = tokio::task::JoinHandle<mongodb::error::Result<Document>>;

impl<'a> HeldBuilds<'a> {
    const POINT: &'static str = "hangAfterStartingIndexBuild";

    async fn hold(source: &'a Client) -> Self {
        Self::configure(source, "alwaysOn").await;
        Self { source }
    }

    async fn release(&self) {
        Self::configure(self.source, "off").await;
    }

    async fn configure(source: &Client, mode: &str) {
        let command = doc! {"configureFailPoint": Self::POINT, "mode": mode};
        source.database("admin").run_command(command).await.expect("the server has fail points");
    }

    /// Returns once the build stands in the oplog.
    async fn begin(&self, collection: &str, index: Document) -> Build {
        let database = self.source.database("entries");
        let command = doc! {"createIndexes": collection, "indexes": [index]};
        let build = tokio::spawn(async move { database.run_command(command).await });
        let oplog = self.source.database("local").collection::<Document>("oplog.rs");
        let started = doc! {"o.startIndexBuild": collection};
        while oplog.find_one(started.clone()).await.expect("is read").is_none() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        build
    }
}

/// Small, of several databases, with a catalog change, too large for one entry, and one that comes to nothing.
async fn write_transactions(source: &Client, name: &str) {
    let mut session = source.start_session().await.expect("a session");
    let collection = |of: &str| source.database(of).collection::<Document>(name);
    for of in ["entries", "entries-two"] {
        collection(of).insert_one(doc! {"_id": "before"}).await.expect("is inserted");
    }
    session.start_transaction().await.expect("starts");
    for of in ["entries", "entries-two"] {
        collection(of).insert_one(doc! {"_id": 1, "n": 1}).session(&mut session).await.expect("is inserted");
        let of = collection(of);
        let update = of.update_one(doc! {"_id": "before"}, doc! {"$set": {"n": 1}});
        update.session(&mut session).await.expect("is updated");
    }
    session.commit_transaction().await.expect("commits");

    session.start_transaction().await.expect("starts");
    let within = format!("{name} within");
    let database = source.database("entries");
    database.run_command(doc! {"create": &within}).session(&mut session).await.expect("is created");
    let index = doc! {"createIndexes": &within, "indexes": [{"key": {"a": 1}, "name": "a"}]};
    database.run_command(index).session(&mut session).await.expect("is built");
    let within = database.collection::<Document>(&within);
    within.insert_one(doc! {"_id": 1, "a": 1}).session(&mut session).await.expect("is inserted");
    session.commit_transaction().await.expect("commits");

    session.start_transaction().await.expect("starts");
    let text = "x".repeat(3 * 1024 * 1024);
    let large = collection("entries");
    for id in 10..17 {
        large.insert_one(doc! {"_id": id, "text": &text}).session(&mut session).await.expect("is inserted");
    }
    session.commit_transaction().await.expect("commits");

    session.start_transaction().await.expect("starts");
    collection("entries").delete_many(doc! {}).session(&mut session).await.expect("are deleted");
    session.abort_transaction().await.expect("aborts");
    let prepared_at = prepare(source, &mut session, &format!("{name} aborted")).await;
    drop(prepared_at);
    session.abort_transaction().await.expect("aborts");
    let prepared_at = prepare(source, &mut session, &format!("{name} committed")).await;
    commit_prepared(source, &mut session, prepared_at).await;
}

/// A transaction in the state that a coordinator of several shards brings it to.
async fn prepare(source: &Client, session: &mut ClientSession, id: &str) -> Bson {
    let collection = source.database("entries").collection::<Document>("prepared");
    collection.insert_one(doc! {"before": id}).await.expect("is inserted");
    session.start_transaction().await.expect("starts");
    collection.insert_one(doc! {"_id": format!("prepared {id}")}).session(&mut *session).await.expect("is inserted");
    let all = collection.update_many(doc! {"before": id}, doc! {"$set": {"prepared": true}});
    all.session(&mut *session).await.expect("are updated");
    let prepare = doc! {"prepareTransaction": 1, "writeConcern": {"w": "majority"}};
    let reply = source.database("admin").run_command(prepare).session(session).await.expect("is prepared");
    reply.get("prepareTimestamp").expect("a timestamp").clone()
}

async fn commit_prepared(source: &Client, session: &mut ClientSession, prepared_at: Bson) {
    let commit = doc! {"commitTransaction": 1, "commitTimestamp": prepared_at};
    source.database("admin").run_command(commit).session(&mut *session).await.expect("commits");
    // The driver does not know of that commit; its own is told that the transaction is over.
    let _ = session.commit_transaction().await;
}
