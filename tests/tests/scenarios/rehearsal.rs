use mongodb::bson::{Document, doc};
use mongoferry_protocol::Phase;
use mongoferry_testbed::assert_equal;
use mongoferry_tests::{Clusters, HeldCommands, Migration};

/// GIVEN a migration that is only rehearsed WHEN it could be cut over THEN it ends by itself with a report that predicts the write
/// downtime part by part; the destination holds every document, is no longer in use by mongoferry, and the source is as it was.
#[tokio::test(flavor = "multi_thread")]
async fn a_rehearsal_predicts_the_cutover_and_leaves_a_copy() {
    let clusters = Clusters::seeded(5).await;
    let state = tempfile::tempdir().expect("a directory");
    let rehearse = || Migration::between(&clusters, state.path()).argument("--rehearse");
    let outcome = rehearse().start().end().await;
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    for part in ["**Rehearsed**", "Predicted write downtime", "## Predicted cutover", "apply what is left"] {
        assert!(outcome.stdout.contains(part), "{part}: {}", outcome.stdout);
    }
    assert!(outcome.stdout.contains(" unique |"), "an index that is made unique has its line: {}", outcome.stdout);
    let destination = clusters.destination_client().await;
    let databases = destination.list_database_names().await.expect("answers");
    assert!(!databases.contains(&"mongoferry".to_owned()), "{databases:?}");
    let again = rehearse().start().end().await;
    assert!(again.stderr.contains("a rehearsal that is over") && again.code == Some(0), "{}", again.stderr);

    let name =
        clusters.source_client().await.database("shop").list_collection_names().await.expect("answers").remove(0);
    let count = async |client: mongodb::Client| {
        client.database("shop").collection::<Document>(&name).count_documents(doc! {}).await.expect("answers")
    };
    assert_eq!(count(clusters.source_client().await).await, count(destination).await, "{name}");

    let state = tempfile::tempdir().expect("a directory");
    let options = ["--drop", "--confirm-destination=rs", "--cutover=auto"];
    let migration = Migration::between(&clusters, state.path());
    options.iter().fold(migration, |migration, option| migration.argument(option)).start().end_committed().await;
    assert_equal(&clusters.source_client().await, &clusters.destination_client().await).await;
}

/// GIVEN a rehearsal WHEN a document stays different, and WHEN nothing may be compared ahead of a cutover for want of a right, THEN it
/// ends all the same; before, a cutover of it is refused.
#[tokio::test(flavor = "multi_thread")]
async fn a_rehearsal_ends_whatever_can_be_compared_and_is_never_cut_over() {
    const UNAUTHORIZED: i32 = 13;
    let clusters = Clusters::with_fail_points().await;
    let things = clusters.source_client().await.database("shop").collection("things");
    things.insert_many((0..20).map(|id| doc! {"_id": id, "v": id})).await.expect("is inserted");
    let destination = clusters.destination_client().await;
    let held = HeldCommands::on(&destination);
    held.hold("verifier", &["find", "aggregate", "listCollections"]).await;
    let state = tempfile::tempdir().expect("a directory");
    let mut migration = Migration::between(&clusters, state.path()).argument("--rehearse").start();
    let ready = migration.wait_for_phase(Phase::Ready).await;
    assert!(!ready.can_commit);
    assert_eq!(migration.post("commit").await["error"], "MF-COORD-14");
    let screen = migration.command(&["status"]).await;
    assert!(String::from_utf8_lossy(&screen.stdout).contains("next: wait: the rehearsal ends by itself"));
    let copied = destination.database("shop").collection::<Document>("things");
    copied.update_one(doc! {"_id": 5}, doc! {"$set": {"v": -5}}).await.expect("is changed");
    held.release().await;
    let outcome = migration.end().await;
    assert!(outcome.code == Some(0) && outcome.stdout.contains("**Rehearsed**"), "{}", outcome.stderr);

    copied.drop().await.expect("is dropped");
    held.fail("verifier", &["find", "aggregate", "listCollections"], UNAUTHORIZED).await;
    let state = tempfile::tempdir().expect("a directory");
    let outcome = Migration::between(&clusters, state.path()).argument("--rehearse").start().end().await;
    assert!(outcome.code == Some(0) && outcome.stdout.contains("**Rehearsed**"), "{}", outcome.stderr);
}
