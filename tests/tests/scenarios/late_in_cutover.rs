//! What a process does too late in a cutover, because it was stopped or the cutover was taken back meanwhile, must not count.

use std::time::Duration;

use mongodb::{
    Client,
    bson::{Document, doc},
};
use mongoferry_protocol::{MigrationStatus, Phase};
use mongoferry_testbed::{MongodVersion, NatsServer, ReplicaSet};
use mongoferry_tests::{Clusters, HeldCommands, Migration, StageProcess, suspend, wake};
use tokio::time::{Instant, sleep};

/// How long a server holds a command back.
const PAUSE: Duration = Duration::from_secs(3);
/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);
const POLL: Duration = Duration::from_millis(100);
const TRADERS: i32 = 10;

async fn clusters(version: MongodVersion) -> Clusters {
    let set = || ReplicaSet::builder().version(version).parameter("enableTestCommands=1").start();
    let (source, destination) = tokio::join!(set(), set());
    Clusters { source: source.expect("a source starts"), destination: destination.expect("a destination starts") }
}

async fn run(client: &Client, command: Document) -> Document {
    let done = client.database("late").run_command(command.clone()).await;
    let reply = done.unwrap_or_else(|error| panic!("{command}: {error}"));
    assert!(reply.get("writeErrors").is_none(), "{command}: {reply}");
    reply
}

async fn insert(client: &Client, collection: &str, ids: std::ops::Range<i32>) {
    let documents: Vec<Document> = ids.map(|id| doc! {"_id": id, "key": id}).collect();
    run(client, doc! {"insert": collection, "documents": documents}).await;
}

/// A collection with a unique index.
async fn fill(source: &Client) {
    let index = doc! {"key": {"key": 1}, "name": "key", "unique": true};
    run(source, doc! {"createIndexes": "traded", "indexes": [index]}).await;
    insert(source, "traded", 0..TRADERS).await;
}

/// The first two documents trade their keys, and so do the next two, and so on.
async fn trade(source: &Client) {
    let traded = source.database("late").collection::<Document>("traded");
    for one in (0..TRADERS).step_by(2) {
        let key_of = async |id| {
            let found = traded.find_one(doc! {"_id": id}).await.expect("answers").expect("stands");
            found.get_i32("key").expect("a key")
        };
        let (first, second) = (key_of(one).await, key_of(one + 1).await);
        let give = |id: i32, key: i32| doc! {"q": {"_id": id}, "u": {"$set": {"key": key}}};
        let trade = vec![give(one, -1), give(one + 1, first), give(one, second)];
        run(source, doc! {"update": "traded", "updates": trade}).await;
    }
}

/// Unique indexes, beside that of `_id`, and such that are prepared to become so.
async fn refusing_indexes(client: &Client) -> usize {
    let reply = run(client, doc! {"listIndexes": "traded"}).await;
    let indexes = reply.get_document("cursor").and_then(|cursor| cursor.get_array("firstBatch")).expect("a batch");
    let refuses =
        |index: &&Document| ["unique", "prepareUnique"].iter().any(|field| index.get_bool(field).unwrap_or(false));
    indexes.iter().filter_map(|index| index.as_document()).filter(refuses).count()
}

fn applies(status: &MigrationStatus) -> bool {
    matches!(status.phase, Phase::CatchingUp | Phase::Ready)
}

/// GIVEN an indexer whose command that makes an index refuse duplicates is held back by the destination WHEN a user's write takes
/// the cutover back, and the command comes through only then THEN documents that trade unique keys are applied all the same, no
/// index refuses them, and a second cutover commits.
async fn a_preparation_that_comes_late_is_undone(version: MongodVersion, command: &str) {
    let clusters = clusters(version).await;
    let (source, destination) = (clusters.source_client().await, clusters.destination_client().await);
    fill(&source).await;
    let state = tempfile::tempdir().expect("a directory");
    let mut migration = Migration::between(&clusters, state.path()).start();
    migration.wait_for_phase(Phase::Ready).await;
    let held = HeldCommands::on(&destination);
    let before = held.delay("indexer", &[command], PAUSE).await;
    migration.post("commit").await;
    held.until_held(before, 1).await;
    insert(&source, "traded", TRADERS..TRADERS + 1).await;
    migration.wait_for("the cutover is taken back", applies).await;
    let through_by = Instant::now() + 2 * PAUSE;
    while Instant::now() < through_by {
        trade(&source).await;
        migration.until_in_step(&clusters).await;
    }
    held.release().await;
    let began = Instant::now();
    while refusing_indexes(&destination).await > 0 {
        assert!(began.elapsed() < PATIENCE, "an index stays prepared");
        sleep(POLL).await;
    }
    trade(&source).await;
    migration.until_in_step(&clusters).await;
    assert_eq!(refusing_indexes(&destination).await, 0);
    migration.wait_for_phase(Phase::Ready).await;
    migration.post("commit").await;
    migration.end_committed().await;
    assert_eq!(refusing_indexes(&destination).await, 1);
    clusters.assert_equal().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preparation_that_comes_late_is_undone_on_5_0() {
    a_preparation_that_comes_late_is_undone(MongodVersion::V5_0_4, "createIndexes").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preparation_that_comes_late_is_undone_on_6_0() {
    a_preparation_that_comes_late_is_undone(MongodVersion::V6_0_5, "collMod").await;
}

/// A migration over a bus of its own, which another process can join.
struct Joinable {
    clusters: Clusters,
    source: Client,
    destination: Client,
    migration: Migration,
    nats: NatsServer,
    state: tempfile::TempDir,
}

impl Joinable {
    async fn ready(version: MongodVersion) -> Self {
        let clusters = clusters(version).await;
        let (source, destination) = (clusters.source_client().await, clusters.destination_client().await);
        fill(&source).await;
        run(&source, doc! {"create": "ring", "capped": true, "size": 1 << 20}).await;
        insert(&source, "ring", 0..100).await;
        let nats = NatsServer::builder().start().await.expect("nats-server starts");
        let state = tempfile::tempdir().expect("a directory");
        let mut migration = Migration::between(&clusters, state.path())
            .argument(&format!("--nats={}", nats.url()))
            .argument("--id=late")
            .start();
        migration.wait_for_phase(Phase::Ready).await;
        Self { clusters, source, destination, migration, nats, state }
    }

    fn join(&self, program: &str, arguments: &[&str]) -> StageProcess {
        let settings = [
            ("MONGOFERRY_SOURCE", self.clusters.source.uri()),
            ("MONGOFERRY_DESTINATION", self.clusters.destination.uri()),
            ("MONGOFERRY_NATS", self.nats.url()),
            ("MONGOFERRY_ID", "late".to_owned()),
        ];
        let settings: Vec<_> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
        StageProcess::start(program, arguments, &settings, self.state.path())
    }
}

/// GIVEN a coordinator that was stopped when it had read which indexes to drop for a cutover that was taken back, and another that
/// took over and committed the next one WHEN the first wakes THEN it drops nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_sleeping_coordinator_changes_nothing_after_the_commit() {
    let mut joinable = Joinable::ready(MongodVersion::V5_0_4).await;
    let sleeper = joinable.migration.process("cutover-coordinator").await.pid;
    let port =
        std::net::TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port is free");
    let listen = format!("--listen={port}");
    let standby = joinable.join("mongoferry-cutover-coordinator", &["--instance=standby", &listen]);
    let verifying = HeldCommands::on(&joinable.source);
    verifying.hold("verifier", &["find", "aggregate", "getMore"]).await;
    // Documents that were verified ahead are not read again, this one is.
    insert(&joinable.source, "traded", TRADERS..TRADERS + 1).await;
    joinable.migration.until_in_step(&joinable.clusters).await;
    joinable.migration.post("commit").await;
    joinable.migration.wait_for_phase(Phase::Verifying).await;
    let began = Instant::now();
    while refusing_indexes(&joinable.destination).await == 0 {
        assert!(began.elapsed() < PATIENCE, "the index is never prepared");
        sleep(POLL).await;
    }
    let held = HeldCommands::on(&joinable.destination);
    let before = held.delay("cutover-coordinator", &["listIndexes"], PAUSE).await;
    insert(&joinable.source, "traded", TRADERS + 1..TRADERS + 2).await;
    held.until_held(before, 1).await;
    suspend(sleeper);
    held.release().await;
    verifying.release().await;
    let api = format!("http://{port}/api/v1");
    let http = reqwest::Client::new();
    let in_phase = async |wanted: Phase| {
        let began = Instant::now();
        loop {
            let answer = http.get(format!("{api}/migration")).send().await;
            let status: Option<MigrationStatus> = match answer {
                Ok(answer) => answer.json().await.ok(),
                Err(_) => None,
            };
            match status {
                Some(status) if status.phase == wanted => return,
                status => assert!(began.elapsed() < PATIENCE, "never {wanted}: {status:#?}"),
            }
            sleep(POLL).await;
        }
    };
    in_phase(Phase::Ready).await;
    http.post(format!("{api}/commit")).send().await.expect("the standby answers");
    in_phase(Phase::Committed).await;
    wake(sleeper);
    // Its own API tells the command of the end once it leads again.
    standby.kill();
    joinable.migration.end_committed().await;
    assert_eq!(refusing_indexes(&joinable.destination).await, 1);
    joinable.clusters.assert_equal().await;
}
