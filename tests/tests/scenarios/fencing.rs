//! A process that was stopped past its lease and goes on with a write in hand must not overwrite what is newer.

use std::time::Duration;

use mongodb::{
    Client,
    bson::{Document, doc},
};
use mongoferry_protocol::{MigrationStatus, Phase};
use mongoferry_testbed::{MongodVersion, NatsServer, ReplicaSet};
use mongoferry_tests::{Clusters, HeldCommands, Migration, StageProcess, suspend, wake};
use tokio::time::Instant;

/// Long enough to be stopped meanwhile.
const PAUSE: Duration = Duration::from_secs(3);
/// Past the moment at which another copier has the range.
const PAST_HOLD: Duration = Duration::from_secs(30);

async fn clusters(version: MongodVersion) -> Clusters {
    let set = || ReplicaSet::builder().version(version).parameter("enableTestCommands=1").start();
    let (source, destination) = tokio::join!(set(), set());
    Clusters { source: source.expect("a source starts"), destination: destination.expect("a destination starts") }
}

async fn run(client: &Client, command: Document) {
    let done = client.database("fenced").run_command(command.clone()).await;
    let reply = done.unwrap_or_else(|error| panic!("{command}: {error}"));
    assert!(reply.get("writeErrors").is_none(), "{command}: {reply}");
}

async fn insert(client: &Client, collection: &str, ids: std::ops::Range<i32>, text: &str) {
    let documents: Vec<Document> = ids.map(|id| doc! {"_id": id, "text": text}).collect();
    run(client, doc! {"insert": collection, "documents": documents}).await;
}

async fn count(client: &Client, collection: &str) -> u64 {
    client.database("fenced").collection::<Document>(collection).count_documents(doc! {}).await.expect("counts")
}

/// A migration with a second applier.
struct Appliers {
    clusters: Clusters,
    source: Client,
    destination: Client,
    migration: Migration,
    standby: StageProcess,
    _nats: NatsServer,
    _state: tempfile::TempDir,
}

impl Appliers {
    async fn ready(version: MongodVersion) -> Self {
        let clusters = clusters(version).await;
        let (source, destination) = (clusters.source_client().await, clusters.destination_client().await);
        insert(&source, "dropped", 0..20, "old").await;
        run(&source, doc! {"create": "ring", "capped": true, "size": 1 << 20}).await;
        insert(&source, "ring", 0..20, "old").await;
        let nats = NatsServer::builder().start().await.expect("nats-server starts");
        let state = tempfile::tempdir().expect("a directory");
        let mut migration = Migration::between(&clusters, state.path())
            .argument(&format!("--nats={}", nats.url()))
            .argument("--id=fenced")
            .start();
        migration.wait_for_phase(Phase::Ready).await;
        let settings = [
            ("MONGOFERRY_SOURCE", clusters.source.uri()),
            ("MONGOFERRY_DESTINATION", clusters.destination.uri()),
            ("MONGOFERRY_NATS", nats.url()),
            ("MONGOFERRY_ID", "fenced".to_owned()),
        ];
        let settings: Vec<_> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let standby = StageProcess::start("mongoferry-applier", &["--instance=standby"], &settings, state.path());
        Self { clusters, source, destination, migration, standby, _nats: nats, _state: state }
    }

    /// The applier is stopped when it has claimed a drop, knows that the collection is still the one to drop, and has only to say so.
    async fn stop_right_before_a_drop(&mut self) -> u32 {
        let sleeper = self.migration.process("applier").await.pid;
        let held = HeldCommands::on(&self.destination);
        let before = held.delay("applier", &["listCollections"], PAUSE).await;
        run(&self.source, doc! {"drop": "dropped"}).await;
        // It looks for the UUID before it claims the drop, then for the name of that UUID, and then whether the name still has it.
        held.until_held(before, 3).await;
        suspend(sleeper);
        let claims = self.destination.database("mongoferry").collection::<Document>("claim");
        let claimed = claims.find_one(doc! {"_id": "barrier"}).await.expect("answers");
        assert!(claimed.is_some(), "it was stopped too early");
        held.release().await;
        // Meanwhile the server answers.
        tokio::time::sleep(PAUSE).await;
        assert_eq!(count(&self.destination, "dropped").await, 20, "it was stopped too late");
        sleeper
    }
}

/// GIVEN an applier that was stopped right before the drop it had claimed, and another that took over and went on with a new
/// collection of the same name WHEN the first wakes THEN that collection stands, and the first writes nothing. The same with a
/// batch for a capped collection in hand.
async fn a_sleeping_applier_overwrites_nothing_newer(version: MongodVersion) {
    let mut appliers = Appliers::ready(version).await;
    let sleeper = appliers.stop_right_before_a_drop().await;
    insert(&appliers.source, "dropped", 0..30, "new").await;
    appliers.migration.until_in_step(&appliers.clusters).await;
    assert_eq!(count(&appliers.destination, "dropped").await, 30);
    wake(sleeper);
    // It ends, and the launcher starts another.
    appliers.migration.child("mongoferry-applier", Some(sleeper)).await;
    assert_eq!(count(&appliers.destination, "dropped").await, 30);

    let held = HeldCommands::on(&appliers.destination);
    let before = held.delay("applier", &["insert"], PAUSE).await;
    insert(&appliers.source, "ring", 20..40, "old").await;
    held.until_held(before, 1).await;
    appliers.standby.suspend();
    held.release().await;
    let newer = doc! {"update": "ring", "updates": [{"q": {}, "u": {"$set": {"text": "new"}}, "multi": true}]};
    run(&appliers.source, newer).await;
    appliers.migration.until_in_step(&appliers.clusters).await;
    appliers.standby.wake();
    assert_eq!(appliers.standby.exit_code().await, Some(1), "{}", appliers.standby.log_text());

    insert(&appliers.source, "ring", 40..50, "last").await;
    appliers.migration.until_in_step(&appliers.clusters).await;
    let report = appliers.migration.get("report").await;
    let processes = report["processes"].as_array().expect("processes");
    let told = processes.iter().find(|role| role["role"] == "applier").expect("appliers");
    assert_eq!(told["takeovers"], 2, "{report:#}");
    appliers.migration.post("commit").await;
    appliers.migration.end_committed().await;
    appliers.clusters.assert_equal().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sleeping_applier_overwrites_nothing_newer_on_5_0() {
    a_sleeping_applier_overwrites_nothing_newer(MongodVersion::V5_0_4).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sleeping_applier_overwrites_nothing_newer_on_6_0() {
    a_sleeping_applier_overwrites_nothing_newer(MongodVersion::V6_0_5).await;
}

/// Where the copier is when it is stopped.
enum Held {
    /// It has asked for documents, and the answer is on its way.
    Reading,
    /// It has sent an insert, which the server has not begun.
    Inserting,
}

/// GIVEN a copier that was stopped with documents in hand, of which one is deleted on the source, and another that copied the range
/// instead WHEN the first wakes, or the server comes to its insert THEN the deleted document does not come back.
async fn a_sleeping_copier_brings_nothing_back(held_while: Held) {
    let clusters = Clusters::with_fail_points().await;
    let (source, destination) = (clusters.source_client().await, clusters.destination_client().await);
    insert(&source, "few", 0..100, "kept").await;
    let server = match held_while {
        Held::Reading => &source,
        Held::Inserting => &destination,
    };
    let held = HeldCommands::on(server);
    let before = match held_while {
        Held::Reading => held.delay("copier", &["find"], PAUSE).await,
        Held::Inserting => held.delay_once("copier", &["insert"], PAST_HOLD).await,
    };
    let state = tempfile::tempdir().expect("a directory");
    let mut migration = Migration::between(&clusters, state.path()).start();
    let is_copying = |status: &MigrationStatus| sleeper_of(status).is_some();
    let status = migration.wait_for("the range is taken", is_copying).await;
    let sleeper = sleeper_of(&status).expect("was found");
    held.until_held(before, 1).await;
    suspend(sleeper);
    let inserted_by = Instant::now() + PAST_HOLD;
    if matches!(held_while, Held::Reading) {
        // Meanwhile the server answers.
        tokio::time::sleep(PAUSE).await;
        held.release().await;
    }
    run(&source, doc! {"delete": "few", "deletes": [{"q": {"_id": 7}, "limit": 1}], "writeConcern": {"w": "majority"}})
        .await;
    migration.wait_for_phase(Phase::Ready).await;
    assert_eq!(count(&destination, "few").await, 99);
    wake(sleeper);
    let awake = |status: &MigrationStatus| {
        status
            .copiers
            .iter()
            .any(|one| one.pid == sleeper && one.seen_ms_ago < 1_500 && one.activity.starts_with("waiting"))
    };
    migration.wait_for("it has given up", awake).await;
    if matches!(held_while, Held::Inserting) {
        tokio::time::sleep_until(inserted_by).await;
        HeldCommands::on(&destination).release().await;
    }
    assert_eq!(count(&destination, "few").await, 99);
    migration.post("commit").await;
    migration.end_committed().await;
    clusters.assert_equal().await;
}

fn sleeper_of(status: &MigrationStatus) -> Option<u32> {
    status.copiers.iter().find(|process| process.activity.starts_with("copying fenced.few")).map(|process| process.pid)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copier_that_sleeps_while_reading_brings_nothing_back() {
    a_sleeping_copier_brings_nothing_back(Held::Reading).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copier_that_sleeps_while_inserting_brings_nothing_back() {
    a_sleeping_copier_brings_nothing_back(Held::Inserting).await;
}
