use bson::{Document, doc};
use mongodb::Client;
use mongoferry_bus::{Bus, BusOptions, key};
use mongoferry_protocol::{CaptureProgress, MigrationStatus, Phase};
use mongoferry_testbed::NatsServer;
use mongoferry_tests::{Clusters, HeldCommands, Migration, child_of, kill, suspend, wake};

async fn fill_orders(client: &Client) {
    let shop = client.database("shop");
    let unique = doc! {"key": {"code": 1}, "name": "code", "unique": true};
    shop.run_command(doc! {"createIndexes": "orders", "indexes": [unique]}).await.expect("is created");
    shop.collection("orders").insert_many((0..50).map(|n| doc! {"_id": n, "code": n})).await.expect("is inserted");
}

async fn order(client: &Client, id: i32) {
    let orders = client.database("shop").collection::<Document>("orders");
    orders.insert_one(doc! {"_id": id, "code": id}).await.expect("is inserted");
}

/// The notes that the cutovers wrote into the source's oplog.
async fn notes(client: &Client) -> u64 {
    let oplog = client.database("local").collection::<Document>("oplog.rs");
    oplog.count_documents(doc! {"op": "n", "o.cutover": {"$exists": true}}).await.expect("answers")
}

/// GIVEN a tailer that is suspended while all is compared WHEN a user writes to the source meanwhile THEN the point of no return is not
/// passed before it wakes, and the cutover is taken back; the next one, in silence, is committed.
#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_is_not_captured_yet_takes_the_cutover_back() {
    let clusters = Clusters::with_fail_points().await;
    let (source, destination) = (clusters.source_client().await, clusters.destination_client().await);
    fill_orders(&source).await;
    let state = tempfile::tempdir().expect("a directory");
    let mut migration = Migration::between(&clusters, state.path()).start();
    migration.wait_for_phase(Phase::Ready).await;
    let held = HeldCommands::on(&destination);
    held.hold("indexer", &["collMod"]).await;
    migration.post("commit").await;
    migration.wait_for_phase(Phase::Verifying).await;

    let tailer = child_of(migration.pid(), "mongoferry-oplog-tailer");
    suspend(tailer);
    order(&source, 100).await;
    held.release().await;
    let compared = |status: &MigrationStatus| status.verified_documents >= 50;
    migration.wait_for("everything is compared", compared).await;
    while notes(&source).await < 2 {
        assert_eq!(migration.status().await.map(|status| status.phase), Some(Phase::Verifying));
    }
    wake(tailer);
    let told = |status: &MigrationStatus| {
        status.warnings.iter().any(|told| told.code == "MF-CUTOVER-3" && told.message.contains("shop.orders"))
    };
    migration.wait_for("the cutover is taken back", told).await;

    migration.wait_for_phase(Phase::Ready).await;
    migration.post("commit").await;
    migration.end_committed().await;
    clusters.assert_equal().await;
}

/// GIVEN a tailer whose last batch is stored, and not yet the record of it, WHEN it is killed THEN its successor knows of the user's
/// write in that batch.
#[tokio::test(flavor = "multi_thread")]
async fn a_tailer_killed_behind_a_batch_remembers_the_write_in_it() {
    let clusters = Clusters::start().await;
    let source = clusters.source_client().await;
    fill_orders(&source).await;
    let nats = NatsServer::builder().start().await.expect("nats-server starts");
    let state = tempfile::tempdir().expect("a directory");
    let builder = Migration::between(&clusters, state.path()).argument(&format!("--nats={}", nats.url()));
    let mut migration = builder.argument("--id=tailed").start();
    migration.wait_for_phase(Phase::Ready).await;
    let options = BusOptions { url: nats.url(), user: None, password: None, credentials_file: None, replicas: 1 };
    let bus = Bus::connect(&options, &"tailed".parse().expect("an id")).await.expect("the bus answers");
    let captured = async |is_wanted: &dyn Fn(&CaptureProgress) -> bool| loop {
        let record = bus.records().get(&key::capture()).await.expect("answers").expect("is there").value;
        if is_wanted(&record) {
            return record;
        }
    };

    let before = captured(&|_| true).await;
    order(&source, 100).await;
    let behind = captured(&|record| record.last_change > before.last_change).await;
    let tailer = migration.child("mongoferry-oplog-tailer", None).await;
    suspend(tailer);
    bus.records().put(&key::capture(), &before).await.expect("is stored");
    kill(tailer);
    let resumed = captured(&|record| record.captured >= behind.captured).await;
    assert_eq!(resumed.last_change, behind.last_change);
    assert_eq!(resumed.last_change_namespace, behind.last_change_namespace);
    assert!(resumed.entries_captured >= behind.entries_captured, "{resumed:?}");

    migration.wait_for_phase(Phase::Ready).await;
    migration.post("commit").await;
    migration.end_committed().await;
    clusters.assert_equal().await;
}

/// GIVEN a cutover that failed behind its point of no return WHEN a user writes to the source, and the same command is started again
/// THEN nothing is committed and the write is named; once the operator has carried it over and says so, it is committed.
#[tokio::test(flavor = "multi_thread")]
async fn a_write_behind_the_point_of_no_return_is_not_committed_over() {
    let clusters = Clusters::with_fail_points().await;
    let (source, destination) = (clusters.source_client().await, clusters.destination_client().await);
    fill_orders(&source).await;
    let state = tempfile::tempdir().expect("a directory");
    let mut migration = Migration::between(&clusters, state.path()).start();
    migration.wait_for_phase(Phase::Ready).await;
    // The verifier asks for it before it compares indexes.
    let asking = HeldCommands::on(&destination);
    asking.hold("verifier", &["buildInfo"]).await;
    migration.post("commit").await;
    let is_held = |status: &MigrationStatus| {
        status.phase == Phase::Finalizing && status.warnings.iter().any(|warning| warning.role == "verifier")
    };
    migration.wait_for("the verifier is held back", is_held).await;
    let another = doc! {"createIndexes": "orders", "indexes": [{"key": {"at": 1}, "name": "foreign"}]};
    destination.database("shop").run_command(another).await.expect("is created");
    asking.release().await;
    let report = migration.state_file("report.md");
    let failed = migration.end().await;
    assert!(failed.stderr.contains("MF-CUTOVER-4"), "{}", failed.stderr);
    let report = std::fs::read_to_string(report).expect("the command left a report");
    assert!(report.contains("Let nobody write to the source") && !report.contains("users go on"), "{report}");

    order(&source, 100).await;
    let stopped = Migration::between(&clusters, state.path()).start().end().await;
    assert_eq!(stopped.code, Some(3), "{}", stopped.stderr);
    for told in ["MF-CUTOVER-11", "shop.orders at ", "MONGOFERRY_ACCEPT_SOURCE_WRITES"] {
        assert!(stopped.stderr.contains(told), "{told}: {}", stopped.stderr);
    }

    order(&destination, 100).await;
    let accepting = Migration::between(&clusters, state.path()).environment("MONGOFERRY_ACCEPT_SOURCE_WRITES", "true");
    let committed = accepting.start().end_committed().await;
    assert!(committed.stdout.contains("Users wrote to the source after the cutover began"), "{}", committed.stdout);
    clusters.assert_equal().await;
}
