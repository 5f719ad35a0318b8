use std::time::Duration;

use mongodb::{
    Client,
    bson::{DateTime, Document, doc},
};
use mongoferry_protocol::{MigrationStatus, Phase};
use mongoferry_testbed::{ReplicaSet, SeedSize, seed};
use mongoferry_tests::{Clusters, HeldCommands, Migration};

async fn fill_sessions(client: &Client) {
    let sessions = client.database("shop").collection::<Document>("sessions");
    let old = |id: i32| doc! {"_id": id, "at": DateTime::from_millis(1_000_000_000_000)};
    sessions.insert_many((0..200).map(old)).await.expect("is inserted");
}

async fn left(client: &Client) -> u64 {
    client.database("shop").collection::<Document>("sessions").count_documents(doc! {}).await.expect("answers")
}

async fn until_expired(client: &Client) {
    while left(client).await > 0 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// GIVEN documents that expire on the source while it is drained, and again while it is verified WHEN the operator cuts over THEN that
/// is no write of a user's: the deletes are applied, counted in the report, and both sides are equal. A delete of a user's in another
/// collection takes the cutover back all the same.
#[tokio::test(flavor = "multi_thread")]
async fn documents_that_expire_during_the_cutover_are_no_users_writes() {
    let set = || ReplicaSet::builder().parameter("enableTestCommands=1").parameter("ttlMonitorSleepSecs=1").start();
    let (source, destination) = tokio::join!(set(), set());
    let clusters = Clusters { source: source.expect("starts"), destination: destination.expect("starts") };
    let (source, destination) = (clusters.source_client().await, clusters.destination_client().await);
    seed::fill(&source, SeedSize { mib: 1 }).await.expect("the source is filled");
    let monitor = async |enabled: bool| {
        let command = doc! {"setParameter": 1, "ttlMonitorEnabled": enabled};
        source.database("admin").run_command(command).await.expect("is set");
    };
    monitor(false).await;
    let index =
        doc! {"createIndexes": "sessions", "indexes": [{"key": {"at": 1}, "name": "at_1", "expireAfterSeconds": 60}]};
    source.database("shop").run_command(index).await.expect("is created");
    fill_sessions(&source).await;
    let keys = source.database("shop").collection::<Document>("keys");
    keys.insert_many((0..9).map(|id| doc! {"_id": id, "key": id})).await.expect("is inserted");
    let unique = doc! {"createIndexes": "keys", "indexes": [{"key": {"key": 1}, "name": "key_1", "unique": true}]};
    source.database("shop").run_command(unique).await.expect("is created");

    let state = tempfile::tempdir().expect("a directory");
    let mut migration = Migration::between(&clusters, state.path()).start();
    migration.wait_for_phase(Phase::Ready).await;

    let held = HeldCommands::on(&destination);
    held.hold("indexer", &["collMod"]).await;
    migration.post("commit").await;
    migration.wait_for_phase(Phase::Verifying).await;
    keys.delete_one(doc! {"_id": 1}).await.expect("is deleted");
    let told = |status: &MigrationStatus| status.warnings.iter().any(|told| told.message.contains("shop.keys"));
    migration.wait_for("the cutover is taken back", told).await;
    held.release().await;

    migration.wait_for("is ready again", |status| status.phase == Phase::Ready).await;
    held.hold("indexer", &["collMod"]).await;
    migration.post("commit").await;
    migration.wait_for_phase(Phase::Verifying).await;
    monitor(true).await;
    until_expired(&source).await;
    until_expired(&destination).await;
    monitor(false).await;
    held.release().await;
    let outcome = migration.end_committed().await;
    assert!(outcome.stdout.contains("deletes of expired documents during the cutover"), "{}", outcome.stdout);
    assert_eq!(left(&destination).await, 0);
    clusters.assert_equal().await;
}
