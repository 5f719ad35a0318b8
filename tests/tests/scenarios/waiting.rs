//! What a migration waits for instead of ending: parties that are away at its start, and a majority that confirms nothing.

use std::time::Duration;

use mongodb::bson::doc;
use mongoferry_protocol::Phase;
use mongoferry_testbed::{NatsServer, ReplicaSet};
use mongoferry_tests::{Clusters, Migration, set_replication};
use tokio::time::Instant;

const LIMIT: Duration = Duration::from_secs(20);

/// GIVEN a migration that has begun, and a source that is down, as after a reboot of everything WHEN the command is started again THEN
/// it waits for the source, and goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_party_that_is_away_at_the_start_is_waited_for() {
    let mut clusters = Clusters::seeded(1).await;
    let state = tempfile::tempdir().expect("a directory");
    let mut migration = Migration::between(&clusters, state.path()).start();
    migration.wait_for_phase(Phase::Ready).await;
    let mut migration = migration.stop_and_start_again_after(|| clusters.source.kill(0)).await;
    let first = migration.child("mongoferry-validator", None).await;
    migration.child("mongoferry-validator", Some(first)).await;
    clusters.source.restart(0).await.expect("comes back");
    migration.until_in_step(&clusters).await;
    migration.post("commit").await;
    let outcome = migration.end_committed().await;
    let said = [outcome.stdout, outcome.stderr].concat();
    assert!(said.contains("MF-V02") && said.contains("goes on as soon as this is over"), "{said}");
    clusters.assert_equal().await;
}

/// GIVEN a migration that has begun on a bus of its user's, which is down WHEN the command is started again THEN it waits for the bus,
/// does not take what it copied for somebody else's, and goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_bus_that_is_away_at_the_start_is_waited_for() {
    let clusters = Clusters::seeded(1).await;
    let mut nats = NatsServer::builder().start().await.expect("nats-server starts");
    let state = tempfile::tempdir().expect("a directory");
    let mut migration = Migration::between(&clusters, state.path())
        .argument(&format!("--nats={}", nats.url()))
        .argument("--id=waiting")
        .start();
    migration.wait_for_phase(Phase::Ready).await;
    let mut migration = migration.stop_and_start_again_after(|| nats.kill()).await;
    let first = migration.child("mongoferry-validator", None).await;
    migration.child("mongoferry-validator", Some(first)).await;
    nats.restart().await.expect("comes back");
    migration.until_in_step(&clusters).await;
    migration.post("commit").await;
    let outcome = migration.end_committed().await;
    let said = [outcome.stdout, outcome.stderr].concat();
    assert!(said.contains("MF-V21") && said.contains("goes on as soon as this is over"), "{said}");
    clusters.assert_equal().await;
}

/// GIVEN a source whose primary is there, and whose other members take nothing over from it WHEN a cutover is begun THEN its limit takes
/// it back, and another one commits once they do.
#[tokio::test(flavor = "multi_thread")]
async fn a_majority_that_confirms_nothing_does_not_outlast_the_limit_of_a_cutover() {
    let source = ReplicaSet::builder().members(3).parameter("enableTestCommands=1").start();
    let (source, destination) = tokio::join!(source, ReplicaSet::single());
    let mut clusters = Clusters { source: source.expect("starts"), destination: destination.expect("starts") };
    let orders = clusters.source_client().await.database("shop").collection("orders");
    orders.insert_many((0..100).map(|id| doc! {"_id": id})).await.expect("inserted");
    let state = tempfile::tempdir().expect("a directory");
    let mut migration =
        Migration::between(&clusters, state.path()).argument(&format!("--cutover-limit={}s", LIMIT.as_secs())).start();
    migration.wait_for_phase(Phase::Ready).await;

    let primary = clusters.source.primary_index().await.expect("a primary");
    set_replication(&clusters.source, primary, "alwaysOn").await;
    let began = Instant::now();
    migration.post("commit").await;
    let reverted = migration
        .wait_for("the cutover is taken back", |status| {
            began.elapsed() > LIMIT / 2 && matches!(status.phase, Phase::CatchingUp | Phase::Ready)
        })
        .await;
    assert!(began.elapsed() < 3 * LIMIT, "{:?}", began.elapsed());
    assert!(began.elapsed() >= LIMIT, "{reverted:#?}");

    set_replication(&clusters.source, primary, "off").await;
    migration.wait_for("ready and in step", |status| status.phase == Phase::Ready && status.gap_closed).await;
    migration.post("commit").await;
    migration.end_committed().await;
    clusters.assert_equal().await;
}
