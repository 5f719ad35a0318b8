use bson::{Document, doc};
use mongodb::Client;
use mongoferry_protocol::{IndexState, MigrationStatus, Phase};
use mongoferry_testbed::{MongodVersion, ReplicaSet, differences};
use mongoferry_tests::{
    Clusters, HeldCommands, Migration,
    every_index::{every_index, indexed_document, pass_through_misfits, trade_unique_keys},
};

/// GIVEN indexes of every kind, documents that did not fit them before they were built, keys that change hands, and documents
/// that expired long ago WHEN they are migrated THEN nothing stops, nothing expires, and the indexes are the source's in
/// everything.
#[tokio::test(flavor = "multi_thread")]
async fn indexes_of_every_kind_arrive_and_none_stops_the_migration() {
    // The destination expires documents within a second, if it has an index for it; the source leaves them alone.
    let source = ReplicaSet::builder().parameter("enableTestCommands=1").parameter("ttlMonitorEnabled=false");
    let destination = ReplicaSet::builder().parameter("ttlMonitorSleepSecs=1");
    let (source, destination) = tokio::join!(source.start(), destination.start());
    let clusters = Clusters { source: source.expect("starts"), destination: destination.expect("starts") };
    let source = clusters.source_client().await;
    fill(&source).await;
    let listing = HeldCommands::on(&source);
    listing.hold("cutover-coordinator", &["listDatabases"]).await;

    let state = tempfile::tempdir().expect("a directory");
    let mut migration = Migration::between(&clusters, state.path()).start();
    migration.wait_for("capture has begun", |status| status.captured_optime.is_some()).await;
    pass_through_misfits(&source, "shop", "misfits").await;
    create(&source, "misfits", every_index()).await;
    trade_unique_keys(&source, "shop", "kinds").await;
    listing.release().await;

    migration.wait_for("ready and idle", |status| status.phase == Phase::Ready && status.gap_closed).await;
    trade_unique_keys(&source, "shop", "misfits").await;
    pass_through_misfits(&source, "shop", "late").await;
    create(&source, "late", every_index()).await;
    for collection in ["kinds", "misfits", "late"] {
        let expiry = doc! {"collMod": collection, "index": {"name": "at", "expireAfterSeconds": 2_000_000_000}};
        run(&source, expiry).await;
    }
    run(&source, doc! {"collMod": "kinds", "index": {"name": "last", "hidden": true}}).await;
    migration.wait_for("all is applied", |status| status.gap_closed).await;

    migration.post("commit").await;
    migration.end_committed().await;
    clusters.assert_equal().await;
}

/// GIVEN an index that the destination can't build, made after the validation WHEN the migration is ready THEN it is named,
/// and the cutover waits until that is accepted.
#[tokio::test(flavor = "multi_thread")]
async fn an_index_that_cannot_be_built_is_named_and_gates_the_cutover() {
    let source = ReplicaSet::builder().version(MongodVersion::V4_4_2).parameter("enableTestCommands=1");
    let (source, destination) = tokio::join!(source.start(), ReplicaSet::single());
    let clusters = Clusters { source: source.expect("starts"), destination: destination.expect("starts") };
    let source = clusters.source_client().await;
    run(&source, doc! {"insert": "places", "documents": [{"_id": 1, "at": [1.0, 2.0], "kind": "a"}]}).await;
    let listing = HeldCommands::on(&source);
    listing.hold("cutover-coordinator", &["listDatabases"]).await;
    let state = tempfile::tempdir().expect("a directory");
    let mut migration = Migration::between(&clusters, state.path()).start();
    migration.wait_for("capture has begun", |status| status.captured_optime.is_some()).await;
    // 4.4 has this kind of index, 5.0 and later do not.
    let haystack = doc! {"key": {"at": "geoHaystack", "kind": 1}, "name": "haystack", "bucketSize": 1};
    create(&source, "places", vec![haystack]).await;
    listing.release().await;

    migration.wait_for("ready and idle", |status| status.phase == Phase::Ready && status.gap_closed).await;
    let refused = migration.post("commit").await;
    assert_eq!(refused["error"], "MF-CUTOVER-5", "{refused}");
    let status = migration.status().await.expect("the API answers");
    assert_eq!(status.phase, Phase::Ready);
    assert_named(&status);
    assert!(status.warnings.iter().any(|warning| warning.code == "MF-CUTOVER-5"), "{:?}", status.warnings);
    assert!(!migration.command(&["cutover", "--yes"]).await.status.success());
    let accepted = migration.command(&["cutover", "--yes", "--accept-missing-indexes"]).await;
    assert!(accepted.status.success(), "{accepted:?}");
    let outcome = migration.end_committed().await;
    assert!(outcome.stdout.contains("haystack"), "{}", outcome.stdout);
    let found = differences(&source, &clusters.destination_client().await).await.expect("both sides can be read");
    assert_eq!(found, ["shop.places: index haystack is only on the source"]);
}

async fn fill(source: &Client) {
    for collection in ["kinds", "misfits"] {
        let documents = source.database("shop").collection::<Document>(collection);
        documents.insert_many((0..60).map(indexed_document)).await.expect("are inserted");
    }
    create(source, "kinds", every_index()).await;
}

async fn create(source: &Client, collection: &str, indexes: Vec<Document>) {
    run(source, doc! {"createIndexes": collection, "indexes": indexes}).await;
}

async fn run(source: &Client, command: Document) {
    let reply = source.database("shop").run_command(command.clone()).await;
    reply.unwrap_or_else(|error| panic!("{command}: {error}"));
}

fn assert_named(status: &MigrationStatus) {
    let failed: Vec<_> = status.indexes.iter().filter(|index| index.state == IndexState::Failed).collect();
    assert_eq!(failed.len(), 1, "{failed:?}");
    assert_eq!((failed[0].namespace.as_str(), failed[0].name.as_str()), ("shop.places", "haystack"));
    assert!(failed[0].reason.is_some(), "{failed:?}");
}
