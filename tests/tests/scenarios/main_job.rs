use mongoferry_protocol::Phase;
use mongoferry_tests::{Clusters, Migration};

/// GIVEN a source under write load WHEN it is migrated and cut over after the writers have stopped THEN both sides are equal.
#[tokio::test(flavor = "multi_thread")]
async fn a_live_source_moves_with_everything_that_is_written_on_the_way() {
    let clusters = Clusters::seeded(40).await;
    let workload = clusters.workload(800).await;
    let state = tempfile::tempdir().expect("a directory");
    let mut migration = Migration::between(&clusters, state.path()).argument("--copiers=3").start();
    let ready = migration.wait_for_phase(Phase::Ready).await;
    assert!(ready.can_commit && ready.documents > 0 && ready.documents == ready.documents_total);
    workload.wait_for(3_000).await;
    let counts = workload.stop().await.expect("the workload met no error");
    assert_eq!(migration.post("commit").await["success"], true);
    let outcome = migration.end_committed().await;
    clusters.assert_equal().await;
    assert!(outcome.stdout.contains("**Equal**"), "{}", outcome.stdout);
    assert!(counts.total() >= 3_000);

    // Nothing of mongoferry is left on the destination.
    let databases = clusters.destination_client().await.list_database_names().await.expect("answers");
    assert!(!databases.contains(&"mongoferry".to_owned()), "{databases:?}");
}

/// GIVEN nobody writes WHEN the cutover is automatic THEN it needs no operator.
#[tokio::test(flavor = "multi_thread")]
async fn an_automatic_cutover_needs_no_operator() {
    let clusters = Clusters::seeded(5).await;
    let state = tempfile::tempdir().expect("a directory");
    Migration::between(&clusters, state.path()).argument("--cutover=auto").start().end_committed().await;
    clusters.assert_equal().await;
}

/// GIVEN an empty source WHEN it is migrated THEN that is no error.
#[tokio::test(flavor = "multi_thread")]
async fn an_empty_source_is_migrated() {
    let clusters = Clusters::start().await;
    let state = tempfile::tempdir().expect("a directory");
    Migration::between(&clusters, state.path()).argument("--cutover=auto").start().end_committed().await;
    clusters.assert_equal().await;
}

/// GIVEN writes that do not end WHEN the operator commits THEN the cutover is taken back, named, and nothing is lost.
#[tokio::test(flavor = "multi_thread")]
async fn writes_after_the_cutover_began_take_it_back() {
    let clusters = Clusters::seeded(5).await;
    let workload = clusters.workload(500).await;
    let state = tempfile::tempdir().expect("a directory");
    let mut migration = Migration::between(&clusters, state.path()).start();
    migration.wait_for_phase(Phase::Ready).await;
    migration.post("commit").await;
    migration
        .wait_for("the cutover is taken back", |status| {
            status.warnings.iter().any(|warning| warning.code == "MF-CUTOVER-3")
        })
        .await;
    workload.stop().await.expect("the workload met no error");
    migration.wait_for("ready again", |status| status.phase == Phase::Ready && status.gap_closed).await;
    migration.post("commit").await;
    migration.end_committed().await;
    clusters.assert_equal().await;
}
