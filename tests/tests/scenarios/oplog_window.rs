use std::time::Duration;

use mongodb::{Client, bson::doc};
use mongoferry_protocol::Phase;
use mongoferry_testbed::{ReplicaSet, SeedSize, seed};
use mongoferry_tests::{Clusters, Migration, child_of, suspend, wake};

const WRITE_EVERY: Duration = Duration::from_millis(200);

/// A source whose oplog holds seconds of writes: about 100 MB, but nothing of it goes before it is in a checkpoint.
async fn clusters() -> Clusters {
    let source = ReplicaSet::builder().oplog_mib(1).parameter("syncdelay=3600").start();
    let (source, destination) = tokio::join!(source, ReplicaSet::single());
    let clusters =
        Clusters { source: source.expect("a source starts"), destination: destination.expect("a destination starts") };
    seed::fill(&clusters.source_client().await, SeedSize { mib: 10 }).await.expect("the source is filled");
    clusters
}

async fn oldest_entry(client: &Client) -> u32 {
    let oplog = client.database("local").collection::<mongodb::bson::Document>("oplog.rs");
    let first = oplog.find_one(doc! {}).sort(doc! {"$natural": 1}).await.expect("answers").expect("has an entry");
    first.get_timestamp("ts").expect("an entry has an optime").time
}

/// Writes until nothing is left in the oplog of what was there at the call.
async fn roll_over(client: &Client) {
    let collection = client.database("rolled").collection("over");
    let hello = client.database("admin").run_command(doc! {"hello": 1}).await.expect("answers");
    let now = hello.get_timestamp("operationTime").expect("a reply has a time").time;
    let text = "x".repeat(1 << 20);
    while oldest_entry(client).await <= now {
        for id in 0..8 {
            collection.replace_one(doc! {"_id": id}, doc! {"text": &text}).upsert(true).await.expect("is written");
        }
        client.database("admin").run_command(doc! {"fsync": 1}).await.expect("makes a checkpoint");
    }
}

/// GIVEN a source whose oplog holds seconds WHEN it rolls over during a copy that rests, and again while changes are applied
/// THEN the migration completes: what was captured is on the bus.
#[tokio::test(flavor = "multi_thread")]
async fn an_oplog_that_holds_seconds_is_enough() {
    let clusters = clusters().await;
    let client = clusters.source_client().await;
    let state = tempfile::tempdir().expect("a directory");
    let mut migration = Migration::between(&clusters, state.path()).start();
    migration.wait_for("the copy is under way", |status| status.phase == Phase::Copying).await;
    migration.post("pause").await;
    roll_over(&client).await;
    migration.post("resume").await;
    migration.wait_for_phase(Phase::Ready).await;
    roll_over(&client).await;
    migration.until_in_step(&clusters).await;
    migration.post("commit").await;
    migration.end_committed().await;
    clusters.assert_equal().await;
}

/// GIVEN a tailer that was stopped until the source's oplog no longer held what it needs WHEN it goes on THEN the migration
/// fails, and says what is missing and what to do.
#[tokio::test(flavor = "multi_thread")]
async fn a_tailer_that_slept_too_long_fails_the_migration() {
    let clusters = clusters().await;
    let client = clusters.source_client().await;
    let state = tempfile::tempdir().expect("a directory");
    let mut migration = Migration::between(&clusters, state.path()).start();
    migration.wait_for_phase(Phase::Ready).await;
    let tailer = child_of(migration.pid(), "mongoferry-oplog-tailer");
    suspend(tailer);
    roll_over(&client).await;
    wake(tailer);
    let outcome = migration.end().await;
    assert_ne!(outcome.code, Some(0), "{}", outcome.stderr);
    for told in ["MF-MONGO-16", "no longer holds", "its oldest entry is", "replSetResizeOplog"] {
        assert!(outcome.stderr.contains(told) || outcome.stdout.contains(told), "{told}: {}", outcome.stderr);
    }
}

/// GIVEN a tailer that does nothing, and a source whose oplog rolls on WHEN half of what the oplog holds is used up THEN that is told
/// by the coordinator's own measure, in time: once the tailer goes on, nothing is missing.
#[tokio::test(flavor = "multi_thread")]
async fn an_oplog_that_is_used_up_is_told_in_time() {
    let clusters = clusters().await;
    let client = clusters.source_client().await;
    let state = tempfile::tempdir().expect("a directory");
    let mut migration = Migration::between(&clusters, state.path()).start();
    migration.wait_for_phase(Phase::Ready).await;
    roll_over(&client).await;
    migration.until_in_step(&clusters).await;
    let tailer = child_of(migration.pid(), "mongoferry-oplog-tailer");
    suspend(tailer);
    let collection = client.database("rolled").collection("over");
    let mut pace = tokio::time::interval(WRITE_EVERY);
    let warned = loop {
        pace.tick().await;
        collection.insert_one(doc! {}).await.expect("is written");
        let status = migration.status().await.expect("answers");
        if status.warnings.iter().any(|warning| warning.code == "MF-COORD-16") {
            break status;
        }
        let captured = status.captured_optime.expect("something is captured");
        assert!(oldest_entry(&client).await <= captured.t, "it was not told in time: {:#?}", status.warnings);
    };
    assert!(warned.oplog_headroom_seconds < warned.oplog_window_seconds, "{warned:#?}");
    wake(tailer);
    migration.until_in_step(&clusters).await;
    let over = |status: &mongoferry_protocol::MigrationStatus| {
        status.warnings.iter().all(|warning| warning.code != "MF-COORD-16")
    };
    migration.wait_for("the warning is over", over).await;
    migration.post("commit").await;
    migration.end_committed().await;
    clusters.assert_equal().await;
}
