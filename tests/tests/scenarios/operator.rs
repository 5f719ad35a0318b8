use mongodb::bson::{Document, doc};
use mongoferry_protocol::Phase;
use mongoferry_tests::{Clusters, Migration};
use serde_json::json;

/// GIVEN a migration under way WHEN it is paused from another terminal THEN copying rests while capture goes on, until it is
/// resumed; WHEN it is cut over from there THEN that command waits for the end.
#[tokio::test(flavor = "multi_thread")]
async fn pause_resume_status_and_cutover_from_a_second_terminal() {
    let clusters = Clusters::seeded(60).await;
    let workload = clusters.workload(300).await;
    let state = tempfile::tempdir().expect("a directory");
    let mut migration = Migration::between(&clusters, state.path()).start();
    migration.wait_for("part of the copy", |status| status.phase == Phase::Copying && status.bytes > 0).await;
    assert!(migration.command(&["pause"]).await.status.success());
    let paused = migration.wait_for_phase(Phase::Paused).await;
    assert_eq!(paused.came_from, Some(Phase::Copying));
    let captured = paused.entries_captured;
    migration.wait_for("capture goes on", |status| status.entries_captured > captured + 100).await;
    assert_eq!(migration.status().await.expect("answers").phase, Phase::Paused);
    let refused = migration.post("commit").await;
    assert_eq!((refused["success"].as_bool(), refused["error"].as_str()), (Some(false), Some("MF-CUTOVER-2")));

    assert!(migration.command(&["resume"]).await.status.success());
    migration.wait_for_phase(Phase::Ready).await;
    let status = migration.command(&["status"]).await;
    assert!(String::from_utf8_lossy(&status.stdout).contains("ready"), "{status:?}");
    workload.stop().await.expect("the workload met no error");
    let cutover = migration.command(&["cutover", "--yes"]).await;
    assert!(cutover.status.success(), "{cutover:?}");
    migration.end_committed().await;
    clusters.assert_equal().await;
}

/// GIVEN a running migration THEN the API speaks mongosync's words, and refuses a foreign page.
#[tokio::test(flavor = "multi_thread")]
async fn the_api_is_as_mongosyncs_users_know_it() {
    let clusters = Clusters::seeded(5).await;
    let state = tempfile::tempdir().expect("a directory");
    let mut migration = Migration::between(&clusters, state.path()).start();
    migration.wait_for("ready and idle", |status| status.phase == Phase::Ready && status.gap_closed).await;
    let answer = migration.get("progress").await;
    let progress = &answer["progress"];
    assert_eq!(
        (progress["state"].as_str(), progress["canCommit"].as_bool(), progress["canWrite"].as_bool()),
        (Some("RUNNING"), Some(true), Some(false)),
        "{answer}"
    );
    assert_eq!((answer["success"].as_bool(), answer["error"].is_null()), (Some(true), true));
    assert_eq!(progress["lagTimeSeconds"], 0);
    for field in ["info", "totalEventsApplied", "directionMapping", "source", "destination", "verification"] {
        assert!(!progress[field].is_null(), "{field}: {answer}");
    }
    let copied = progress["collectionCopy"]["estimatedCopiedBytes"].as_u64();
    assert!(copied > Some(0) && copied == progress["collectionCopy"]["estimatedTotalBytes"].as_u64(), "{answer}");

    let commit = format!("{}/api/v1/commit", migration.api_address());
    let foreign = reqwest::Client::new().post(&commit).header("Origin", "http://evil.example").send().await;
    assert_eq!(foreign.expect("answers").status(), 403);
    let rebound = reqwest::Client::new().post(&commit).header("Host", "evil.example").send().await;
    assert_eq!(rebound.expect("answers").status(), 403);
    let metrics = reqwest::get(format!("{}/metrics", migration.api_address())).await.expect("answers");
    assert!(metrics.text().await.expect("text").contains("mongoferry_migration_phase{phase=\"ready\"} 1"));
    let health = reqwest::get(format!("{}/healthz", migration.api_address())).await.expect("answers");
    assert!(health.status().is_success());
    for (call, body) in [("commit", json!({"blockwrites": true})), ("verify", json!({"repairs": true}))] {
        assert_eq!(migration.post_with(call, &body).await["error"], "MF-API-5", "{call}: a typing error is no order");
    }
    assert_eq!(migration.status().await.expect("answers").phase, Phase::Ready);
    migration.post("commit").await;
    migration.end_committed().await;
    clusters.assert_equal().await;
}

/// GIVEN one changed, one missing and one extra document on the destination WHEN it is verified THEN the migration fails
/// with a list, before anything can't be taken back.
#[tokio::test(flavor = "multi_thread")]
async fn a_difference_is_found_listed_and_not_committed() {
    let clusters = Clusters::start().await;
    let documents = clusters.source_client().await.database("shop").collection::<Document>("items");
    documents.insert_many((0..1_000).map(|n| doc! {"_id": n, "v": n})).await.expect("is inserted");
    let state = tempfile::tempdir().expect("a directory");
    let mut migration = Migration::between(&clusters, state.path()).start();
    migration.wait_for("ready and idle", |status| status.phase == Phase::Ready && status.gap_closed).await;
    let copied = clusters.destination_client().await.database("shop").collection::<Document>("items");
    copied.update_one(doc! {"_id": 5}, doc! {"$set": {"v": -5}}).await.expect("is changed");
    copied.delete_one(doc! {"_id": 77}).await.expect("is deleted");
    copied.insert_one(doc! {"_id": "foreign"}).await.expect("is inserted");
    migration.post("commit").await;
    let outcome = migration.end().await;
    assert_eq!(outcome.code, Some(1), "{}", outcome.stderr);
    let said = outcome.stdout + &outcome.stderr;
    for part in ["MF-CUTOVER-4", "shop.items", "foreign", "77"] {
        assert!(said.contains(part), "{part} is not in:\n{said}");
    }
}
