use mongodb::bson::{Document, doc};
use mongoferry_testbed::assert_equal;
use mongoferry_tests::{Clusters, Migration};

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
