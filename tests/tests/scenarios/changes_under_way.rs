use mongodb::bson::doc;
use mongoferry_protocol::Phase;
use mongoferry_testbed::{ReplicaSet, SeedSize, seed};
use mongoferry_tests::{Clusters, Migration, remove_and_add, restart_all};

/// GIVEN a migration between sets of three WHEN all members of either are restarted one after the other, and one is removed and
/// added THEN the migration goes on.
#[tokio::test(flavor = "multi_thread")]
async fn rolling_restarts_and_reconfigurations_are_survived() {
    let set = || ReplicaSet::builder().members(3).start();
    let (source, destination) = tokio::join!(set(), set());
    let mut clusters =
        Clusters { source: source.expect("a source starts"), destination: destination.expect("a destination starts") };
    seed::fill(&clusters.source_client().await, SeedSize { mib: 10 }).await.expect("the source is filled");
    let workload = clusters.workload(50).await;
    let state = tempfile::tempdir().expect("a directory");
    let mut migration = Migration::between(&clusters, state.path()).start();
    migration.wait_for("the copy is under way", |status| status.phase == Phase::Copying).await;
    restart_all(&mut clusters.destination).await;
    migration.wait_for_phase(Phase::Ready).await;
    restart_all(&mut clusters.source).await;
    migration.until_in_step(&clusters).await;
    for set in [&mut clusters.source, &mut clusters.destination] {
        remove_and_add(set).await;
    }
    migration.until_in_step(&clusters).await;
    workload.stop().await.expect("the workload met no error");
    migration.until_in_step(&clusters).await;
    migration.post("commit").await;
    migration.end_committed().await;
    clusters.assert_equal().await;
}

/// GIVEN a migration in step WHEN the source changes its feature compatibility version, which may rewrite catalog and documents by
/// means of its own THEN the migration stops with a code before anything is changed by it.
#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_the_compatibility_version_stops_the_migration() {
    let clusters = Clusters::seeded(2).await;
    let state = tempfile::tempdir().expect("a directory");
    let mut migration = Migration::between(&clusters, state.path()).start();
    migration.wait_for_phase(Phase::Ready).await;
    let admin = clusters.source_client().await.database("admin");
    admin.run_command(doc! {"setFeatureCompatibilityVersion": "5.0"}).await.expect("is set");
    let outcome = migration.end().await;
    assert_eq!(outcome.code, Some(3), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("MF-ENTRY-5"), "{}", outcome.stderr);
}

/// GIVEN a migration in step WHEN the destination's feature compatibility version is lowered, so that the server does not take
/// `collectionUUID` any more, and a collection is renamed THEN the migration stops with a code before harm; WHEN it is raised again THEN
/// the next start goes on, to the commit.
#[tokio::test(flavor = "multi_thread")]
async fn a_destination_of_lower_compatibility_stops_the_migration_until_it_is_raised() {
    let clusters = Clusters::seeded(2).await;
    let state = tempfile::tempdir().expect("a directory");
    let mut migration = Migration::between(&clusters, state.path()).start();
    migration.wait_for_phase(Phase::Ready).await;
    let admin = clusters.destination_client().await.database("admin");
    admin.run_command(doc! {"setFeatureCompatibilityVersion": "5.0"}).await.expect("is set");
    let rename = doc! {"renameCollection": "shop.stores", "to": "shop.branches"};
    clusters.source_client().await.database("admin").run_command(rename).await.expect("is renamed");
    let outcome = migration.end().await;
    assert_eq!(outcome.code, Some(3), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("MF-MONGO-14") && outcome.stderr.contains("collectionUUID"), "{}", outcome.stderr);
    admin.run_command(doc! {"setFeatureCompatibilityVersion": "6.0"}).await.expect("is set");
    Migration::between(&clusters, state.path()).argument("--cutover=auto").start().end_committed().await;
    clusters.assert_equal().await;
}
