use mongoferry_bus::{Bus, BusOptions, key};
use mongoferry_protocol::{Phase, now_ms};
use mongoferry_testbed::NatsServer;
use mongoferry_tests::{Clusters, Migration, kill};

const HOUR_MS: u64 = 60 * 60 * 1_000;

/// GIVEN a migration that is ready THEN it expires in 120 hours; WHEN it is extended THEN 24 hours later; WHEN its time is up
/// THEN it is no longer kept in step, and nothing is dropped; WHEN it is extended then THEN it goes on without a loss.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_ready_expires_unless_it_is_extended() {
    let clusters = Clusters::seeded(10).await;
    let nats = NatsServer::builder().start().await.expect("a bus");
    let state = tempfile::tempdir().expect("a directory");
    let builder = Migration::between(&clusters, state.path()).argument("--nats").argument(&nats.url());
    let mut migration = builder.argument("--id").argument("timed").start();
    let ready = migration.wait_for_phase(Phase::Ready).await;
    let hours = |expires_at_ms: Option<u64>| (expires_at_ms.expect("a timer") - now_ms()).div_ceil(HOUR_MS);
    assert_eq!(hours(ready.expires_at_ms), 120);
    assert!(migration.command(&["extend"]).await.status.success());
    let extended = migration.wait_for("a later end", |status| status.expires_at_ms > ready.expires_at_ms).await;
    assert_eq!(hours(extended.expires_at_ms), 144);

    // Nobody waits for five days: a coordinator that is started again finds another time.
    let coordinator = "cutover-coordinator";
    let options = BusOptions { url: nats.url(), user: None, password: None, credentials_file: None, replicas: 1 };
    let bus = Bus::connect(&options, &"timed".parse().expect("an id")).await.expect("the bus answers");
    let mut record = bus.records().get(&key::phase()).await.expect("answers").expect("there is one").value;
    record.expires_at_ms = Some(now_ms() + HOUR_MS);
    bus.records().put(&key::phase(), &record).await.expect("stored");
    kill(migration.process(coordinator).await.pid);
    let warns = |status: &mongoferry_protocol::MigrationStatus| {
        status.phase == Phase::Ready && status.warnings.iter().any(|warning| warning.code == "MF-CUTOVER-7")
    };
    migration.wait_for("a warning", warns).await;
    let mut record = bus.records().get(&key::phase()).await.expect("answers").expect("there is one").value;
    record.expires_at_ms = Some(now_ms());
    bus.records().put(&key::phase(), &record).await.expect("stored");
    kill(migration.process(coordinator).await.pid);
    migration.wait_for_phase(Phase::Expired).await;
    let refused = migration.post("commit").await;
    assert_eq!(refused["error"].as_str(), Some("MF-CUTOVER-2"), "{refused}");

    let workload = clusters.workload(500).await;
    workload.wait_for(1_000).await;
    let rested = migration.status().await.expect("answers");
    workload.stop().await.expect("the workload met no error");
    assert!(migration.command(&["extend"]).await.status.success());
    migration.wait_for("ready and idle", |status| status.phase == Phase::Ready && status.gap_closed).await;
    let now = migration.status().await.expect("answers");
    assert!(
        now.changes_applied >= rested.changes_applied + 1_000,
        "{} and {}",
        now.changes_applied,
        rested.changes_applied
    );
    migration.post("commit").await;
    migration.end_committed().await;
    clusters.assert_equal().await;
}
