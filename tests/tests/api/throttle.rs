use std::time::Duration;

use mongoferry_protocol::{Phase, Throttle};
use mongoferry_tests::{Clusters, Migration};
use serde_json::json;
use tokio::time::Instant;

const MIB: u64 = 1024 * 1024;

/// GIVEN a limit set before the start WHEN the copy runs THEN it is no faster than that; WHEN the limit is lowered, the
/// migration killed and started again THEN it still holds; WHEN it is lifted THEN the copy runs freely.
#[tokio::test(flavor = "multi_thread")]
async fn the_copy_is_held_back_and_let_go() {
    let clusters = Clusters::seeded(24).await;
    let state = tempfile::tempdir().expect("a directory");
    let mut migration = Migration::between(&clusters, state.path()).argument("--start=manual").start();
    migration.wait_for_phase(Phase::Created).await;
    for body in [json!({"bytesPerSecond": 0}), json!({"bytesPerMinute": 1}), json!({"rangesAtOnce": -1})] {
        assert_eq!(migration.post_with("throttle", &body).await["error"], "MF-API-5", "{body}");
    }
    let set = migration.command(&["throttle", "--mib-per-second=1", "--ranges-at-once=1"]).await;
    assert!(set.status.success(), "{}", String::from_utf8_lossy(&set.stderr));
    let limit = Throttle { bytes_per_second: Some(MIB), ranges_at_once: Some(1), documents_per_second: None };
    migration.wait_for("the limit", |status| status.throttle == limit).await;

    migration.process("validator").await;
    let began = Instant::now();
    migration.post("start").await;
    migration.wait_for("7 MiB", |status| status.bytes >= 7 * MIB).await;
    // The first batch is free, and what is shown may be ahead of what is paid by another: 2 MiB each.
    assert!(began.elapsed() >= Duration::from_secs(3), "{:?}", began.elapsed());

    // At this rate the rest would take longer than anybody here waits.
    let slow = json!({"bytesPerSecond": 16 * 1024, "documentsPerSecond": null, "rangesAtOnce": null});
    assert_eq!(migration.post_with("throttle", &slow).await, slow);
    let mut migration = migration.kill_with_children_and_start_again().await;
    let status = migration.wait_for("being back", |status| status.phase == Phase::Copying).await;
    assert_eq!(status.throttle.bytes_per_second, Some(16 * 1024));
    let shown = migration.command(&["status"]).await;
    assert!(String::from_utf8_lossy(&shown.stdout).contains("throttle     16 KiB/s"));
    assert!(migration.command(&["throttle", "--off"]).await.status.success());
    migration.wait_for_phase(Phase::Ready).await;
    migration.post("commit").await;
    migration.end_committed().await;
    clusters.assert_equal().await;
}

/// GIVEN a limit of documents WHEN the copy runs THEN it holds it.
#[tokio::test(flavor = "multi_thread")]
async fn documents_a_second_are_a_limit_too() {
    let clusters = Clusters::seeded(4).await;
    let state = tempfile::tempdir().expect("a directory");
    let mut migration = Migration::between(&clusters, state.path()).argument("--start=manual").start();
    migration.wait_for_phase(Phase::Created).await;
    migration.post_with("throttle", &json!({"documentsPerSecond": 10, "rangesAtOnce": 1})).await;
    migration.process("validator").await;
    let started = migration.post("start").await;
    assert_eq!(started["success"], true, "{started}");
    // A batch of hundreds is paid for before the next: the copy can't have ended when its first is there.
    let status = migration.wait_for("a batch", |status| status.documents > 0).await;
    assert!(status.documents < status.documents_total, "{status:#?}");
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(migration.status().await.expect("answers").phase, Phase::Copying);
    migration.post("throttle").await;
    migration.wait_for_phase(Phase::Ready).await;
}
