use mongodb::bson::doc;
use mongoferry_protocol::Phase;
use mongoferry_testbed::ReplicaSet;
use mongoferry_tests::{Clusters, Migration, MigrationBuilder, Outcome};

/// Runs a migration that must be refused.
async fn refused(migration: MigrationBuilder) -> Outcome {
    let outcome = migration.argument("--cutover=auto").start().end().await;
    assert!(!outcome.stderr.contains("panicked"), "{}", outcome.stderr);
    outcome
}

fn assert_refused(outcome: &Outcome, code: i32, says: &[&str]) {
    let said = format!("{}{}", outcome.stdout, outcome.stderr);
    assert_eq!(outcome.code, Some(code), "{said}");
    for part in says {
        assert!(said.contains(part), "{part} is not in:\n{said}");
    }
}

/// No database of users or of mongoferry stands on the destination.
async fn assert_untouched(clusters: &Clusters) {
    let mut names = clusters.destination_client().await.list_database_names().await.expect("answers");
    names.retain(|name| !matches!(name.as_str(), "admin" | "config" | "local"));
    assert!(names.is_empty(), "{names:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_the_clusters_is_said_before_anything_is_written() {
    let clusters = Clusters::seeded(1).await;
    let state = tempfile::tempdir().expect("a directory");
    let standalone = ReplicaSet::builder().standalone().await.expect("a standalone server starts");
    let nobody = "mongodb://127.0.0.1:1/?replicaSet=rs&serverSelectionTimeoutMS=1000";
    let migration = |name: &str| Migration::between(&clusters, &state.path().join(name));

    let outcome = refused(migration("malformed").source("mongodb//localhost")).await;
    assert_refused(&outcome, 2, &["source"]);
    let outcome = refused(migration("unreachable-source").source(nobody)).await;
    assert_refused(&outcome, 3, &["MF-V02", "127.0.0.1:1"]);
    let outcome = refused(migration("unreachable-destination").destination(nobody)).await;
    assert_refused(&outcome, 3, &["MF-V02", "127.0.0.1:1"]);
    let outcome = refused(migration("standalone").source(&standalone.uri_of_member(0))).await;
    assert_refused(&outcome, 3, &["MF-V07", "rs.initiate"]);
    let outcome = refused(migration("same").destination(&clusters.source.uri())).await;
    assert_refused(&outcome, 3, &["MF-V10"]);
    let outcome = refused(migration("bus").argument("--nats=nats://127.0.0.1:1")).await;
    assert_refused(&outcome, 3, &["127.0.0.1:1"]);
    let outcome = refused(migration("option").argument("--no-such-option")).await;
    assert_refused(&outcome, 2, &["--no-such-option"]);
    assert_untouched(&clusters).await;

    let destination = clusters.destination_client().await;
    destination.database("shop").collection("orders").insert_one(doc! {"_id": 1}).await.expect("is inserted");
    let outcome = refused(migration("overlap")).await;
    assert_refused(&outcome, 3, &["MF-V14", "shop.orders"]);
    let names = destination.database("shop").list_collection_names().await.expect("answers");
    assert_eq!(names, ["orders"]);
}

/// GIVEN a state directory in use by one migration WHEN another is started with it THEN it is refused and keeps its state.
#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_state_directory_is_refused() {
    let (clusters, others) = tokio::join!(Clusters::seeded(1), Clusters::seeded(1));
    let state = tempfile::tempdir().expect("a directory");
    let mut migration = Migration::between(&clusters, state.path()).start();
    migration.wait_for_phase(Phase::Ready).await;

    let beside = Migration::between(&clusters, state.path()).start().end().await;
    assert_refused(&beside, 3, &["MF-STATE-1"]);
    mongoferry_tests::stop(migration.pid());
    assert_eq!(migration.end().await.code, Some(130));

    let other_name = Migration::between(&clusters, state.path()).argument("--id=other").start().end().await;
    assert_refused(&other_name, 2, &["MF-STATE"]);
    let other_clusters = Migration::between(&others, state.path()).start().end().await;
    assert_refused(&other_clusters, 2, &["MF-STATE"]);
    assert_untouched(&others).await;

    Migration::between(&clusters, state.path()).argument("--cutover=auto").start().end_committed().await;
    clusters.assert_equal().await;
}

/// GIVEN a collection of a kind that is not handled WHEN it would be migrated THEN it is named before anything is written.
#[tokio::test(flavor = "multi_thread")]
async fn what_can_not_be_migrated_is_said_first() {
    let clusters = Clusters::seeded(1).await;
    let shop = clusters.source_client().await.database("shop");
    let key = bson::Uuid::from_bytes([7; 16]);
    let encrypted = doc! {"fields": [{"path": "card", "keyId": key, "bsonType": "string"}]};
    shop.run_command(doc! {"create": "cards", "encryptedFields": encrypted}).await.expect("is created");
    let state = tempfile::tempdir().expect("a directory");
    let outcome = refused(Migration::between(&clusters, state.path())).await;
    assert_refused(&outcome, 3, &["MF-V17", "shop.cards", "encryptedFields"]);
    assert_untouched(&clusters).await;
}
