//! A copier that is killed late in a large range: what was acknowledged is not copied again.

use std::time::Duration;

use mongodb::bson::{Document, doc};
use mongoferry_protocol::Phase;
use mongoferry_testbed::{MongodVersion, ReplicaSet};
use mongoferry_tests::{Clusters, HeldCommands, Migration, kill};
use serde_json::json;

const MIB: u64 = 1 << 20;
/// A range of at most 128 MiB is read in storage order, and a capped collection always.
const COLLECTION_MIB: u64 = 64;
const DOCUMENT_BYTES: usize = 16 * 1024;
/// More than is copied between two records of the progress at the rate below, and far less than the range.
const REPEATED_MIB: u64 = 16;
/// Longer than the time in which a server must answer; the copier's range is free well before.
const HANGS: Duration = Duration::from_secs(600);

/// GIVEN a collection of 64 MiB that is one range WHEN the only copier is killed in the last quarter of it THEN its successor goes on
/// there: only what was not yet recorded is copied again.
async fn a_killed_copier_repeats_only_a_few_batches(version: MongodVersion, options: Document) {
    let set = || ReplicaSet::builder().version(version).start();
    let (source, destination) = tokio::join!(set(), set());
    let clusters =
        Clusters { source: source.expect("a source starts"), destination: destination.expect("a destination starts") };
    let large = clusters.source_client().await.database("large");
    let mut create = doc! {"create": "one"};
    create.extend(options);
    large.run_command(create).await.expect("is created");
    let (text, count) = ("x".repeat(DOCUMENT_BYTES), COLLECTION_MIB * MIB / DOCUMENT_BYTES as u64);
    for begin in (0..count).step_by(512) {
        let documents = (begin..begin + 512).map(|id| doc! {"_id": id as i64, "text": &text});
        large.collection::<Document>("one").insert_many(documents).await.expect("are written");
    }
    let state = tempfile::tempdir().expect("a directory");
    let mut migration = Migration::between(&clusters, state.path()).argument("--copiers=1").start();
    migration.wait_for("somebody leads", |_| true).await;
    migration.post_with("throttle", &json!({"bytesPerSecond": 32 * MIB})).await;
    migration.wait_for("half of it", |status| status.bytes > COLLECTION_MIB * MIB / 2).await;
    migration.post_with("throttle", &json!({"bytesPerSecond": 4 * MIB})).await;
    let late = migration.wait_for("the last quarter", |status| status.bytes > COLLECTION_MIB * MIB * 3 / 4).await;
    assert_eq!(late.phase, Phase::Copying);
    kill(migration.process("copier").await.pid);
    migration.post_with("throttle", &json!({})).await;
    let ready = migration.wait_for_phase(Phase::Ready).await;
    let repeated = ready.repeated_documents * DOCUMENT_BYTES as u64 / MIB;
    println!("{version}: {repeated} MiB were copied again");
    assert!(repeated < REPEATED_MIB, "{repeated} MiB were copied again");
    assert_eq!(ready.documents, count);
    migration.post("commit").await;
    migration.end_committed().await;
    clusters.assert_equal().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copier_killed_late_in_a_plain_collection_repeats_only_a_few_batches() {
    a_killed_copier_repeats_only_a_few_batches(MongodVersion::V6_0_5, doc! {}).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copier_killed_late_in_a_capped_collection_repeats_only_a_few_batches() {
    let capped = || doc! {"capped": true, "size": 1_i64 << 30};
    a_killed_copier_repeats_only_a_few_batches(MongodVersion::V4_4_2, capped()).await;
    a_killed_copier_repeats_only_a_few_batches(MongodVersion::V6_0_5, capped()).await;
}

/// GIVEN a copier that lives, and waits for a batch that the source does not send WHEN some time has passed THEN the range is read anew,
/// and the copy completes.
#[tokio::test(flavor = "multi_thread")]
async fn a_read_that_hangs_holds_no_range() {
    let clusters = Clusters::with_fail_points().await;
    let source = clusters.source_client().await;
    let text = "x".repeat(DOCUMENT_BYTES);
    let documents = (0..1_000).map(|id| doc! {"_id": id, "text": &text});
    source.database("large").collection::<Document>("plain").insert_many(documents).await.expect("are written");
    let held = HeldCommands::on(&source);
    let before = held.delay_once("copier", &["getMore"], HANGS).await;
    let state = tempfile::tempdir().expect("a directory");
    let mut migration = Migration::between(&clusters, state.path()).start();
    held.until_held(before, 1).await;
    migration.wait_for_phase(Phase::Ready).await;
    migration.post("commit").await;
    migration.end_committed().await;
    clusters.assert_equal().await;
}
