use bson::{Bson, Document, doc};
use mongoferry_protocol::{Comparison, MigrationStatus, Phase, VerifiedAheadView};
use mongoferry_testbed::{MongodVersion, ReplicaSet, SeedSize, seed};
use mongoferry_tests::{Clusters, HeldCommands, Migration, kill};

fn ahead(status: &MigrationStatus) -> VerifiedAheadView {
    status.verified_ahead.clone().unwrap_or_default()
}

fn is_done(status: &MigrationStatus) -> bool {
    let ahead = ahead(status);
    status.phase == Phase::Ready && ahead.collections_total > 0 && ahead.collections == ahead.collections_total
}

async fn clusters(source: MongodVersion, destination: MongodVersion) -> Clusters {
    let start = |version| ReplicaSet::builder().version(version).start();
    let (source, destination) = tokio::try_join!(start(source), start(destination)).expect("two replica sets");
    Clusters { source, destination }
}

/// GIVEN a source under writes WHEN somebody changes, deletes, adds and mixes up documents on the destination THEN all of them are
/// named, and a repair copies just them again, also when verifier and coordinator are killed in the middle of it.
#[tokio::test(flavor = "multi_thread")]
async fn what_differs_is_copied_again_while_users_write() {
    let clusters = clusters(MongodVersion::V6_0_5, MongodVersion::V6_0_27).await;
    let source = clusters.source_client().await;
    seed::fill(&source, SeedSize { mib: 5 }).await.expect("the source is filled");
    let still = source.database("shop").collection::<Document>("still");
    let codes = doc! {"createIndexes": "still", "indexes": [{"key": {"code": 1}, "name": "code", "unique": true}]};
    source.database("shop").run_command(codes).await.expect("is created");
    still.insert_many((0..12_000).map(|n| doc! {"_id": n, "code": n})).await.expect("is inserted");
    let workload = clusters.workload(200).await;
    let state = tempfile::tempdir().expect("a directory");
    let mut migration = Migration::between(&clusters, state.path()).start();
    migration.wait_for("everything compared", is_done).await;

    let copied = clusters.destination_client().await.database("shop").collection::<Document>("still");
    copied.update_one(doc! {"_id": 5}, doc! {"$set": {"code": 6}}).await.expect("is changed");
    copied.update_one(doc! {"_id": 6}, doc! {"$set": {"code": 5}}).await.expect("is changed");
    copied.update_one(doc! {"_id": 7}, doc! {"$set": {"code": 7_i64}}).await.expect("is changed");
    copied.insert_one(doc! {"_id": "foreign"}).await.expect("is inserted");
    copied.delete_one(doc! {"_id": 9}).await.expect("is deleted");
    copied.insert_one(doc! {"_id": 9.0, "code": 9}).await.expect("is inserted");
    migration.wait_for("differences", |status| ahead(status).differing_count == 6).await;
    let again = migration.command(&["verify", "--again", "--list"]).await;
    let lines = String::from_utf8_lossy(&again.stdout).into_owned();
    assert_eq!((again.status.code(), lines.lines().count()), (Some(3), 6), "{again:?}");
    for told in ["5: its bytes", "6: its bytes", "7: its bytes", "\"foreign\": exists on the destination only"] {
        assert!(lines.contains(told), "{lines}");
    }
    assert_eq!(lines.matches("still 9").count(), 2, "two documents of which one number is the _id: {lines}");
    let repaired = migration.command(&["verify", "--repair"]).await;
    assert_eq!(repaired.status.code(), Some(0), "{repaired:?}");
    assert!(String::from_utf8_lossy(&repaired.stdout).contains("all equal"), "{repaired:?}");
    let list = migration.command(&["verify", "--list"]).await;
    assert_eq!((list.status.code(), list.stdout.len()), (Some(0), 0), "{list:?}");

    copied.delete_many(doc! {"_id": {"$lt": 11_000}}).await.expect("are deleted");
    migration.wait_for("many suspects", |status| ahead(status).suspects >= 11_000).await;
    assert_eq!(migration.post("verify").await["success"], true, "without a body nothing is repaired");
    let (verifier, coordinator) =
        (migration.process("verifier").await.pid, migration.process("cutover-coordinator").await.pid);
    let order = migration.command(&["verify", "--repair"]);
    let kills = async {
        let is_under_way = |again: &Comparison| again.repair && again.is_running() && again.repaired > 0;
        loop {
            let status = migration.status().await;
            if status.and_then(|status| status.comparison).is_some_and(|again| is_under_way(&again)) {
                break;
            }
        }
        kill(verifier);
        kill(coordinator);
    };
    let (repaired, ()) = tokio::join!(order, kills);
    assert_eq!(repaired.status.code(), Some(0), "{repaired:?}");
    assert_eq!(copied.count_documents(doc! {}).await.expect("answers"), 12_000);

    workload.stop().await.expect("the workload met no error");
    migration.post("commit").await;
    migration.end_committed().await;
    clusters.assert_equal().await;
}

/// GIVEN collections that are compared at the cutover alone WHEN a cutover finds that they differ THEN it fails before its point of
/// no return; the same command goes on, a repair copies just those documents again, and the next cutover is committed.
#[tokio::test(flavor = "multi_thread")]
async fn a_cutover_that_failed_by_differences_is_repaired_and_committed() {
    let clusters = clusters(MongodVersion::V4_2_6, MongodVersion::V4_2_6).await;
    let source = clusters.source_client().await.database("kinds");
    let german = doc! {"create": "words", "collation": {"locale": "de", "strength": 2}};
    source.run_command(german).await.expect("is created");
    source.run_command(doc! {"create": "ring", "capped": true, "size": 1 << 20}).await.expect("is created");
    let text = |n: i32| doc! {"_id": format!("w{n}"), "text": "x".repeat(50)};
    source.collection::<Document>("words").insert_many((0..500).map(text)).await.expect("are inserted");
    source.collection::<Document>("ring").insert_many((0..500).map(text)).await.expect("are inserted");
    source.collection::<Document>("plain").insert_many((0..500).map(text)).await.expect("are inserted");
    let state = tempfile::tempdir().expect("a directory");
    let mut migration = Migration::between(&clusters, state.path()).start();
    migration.wait_for("what can be is compared", is_done).await;

    let destination = clusters.destination_client().await.database("kinds");
    let plain = destination.collection::<Document>("plain");
    plain.update_one(doc! {"_id": "w1"}, doc! {"$set": {"text": "y"}}).await.expect("is changed");
    migration.wait_for("a difference", |status| ahead(status).differing_count == 1).await;
    let (words, ring) = (destination.collection::<Document>("words"), destination.collection::<Document>("ring"));
    words.update_one(doc! {"_id": "w7"}, doc! {"$set": {"text": "y"}}).await.expect("is changed");
    words.delete_one(doc! {"_id": "w8"}).await.expect("is deleted");
    words.insert_one(doc! {"_id": "W8", "text": Bson::Null}).await.expect("is inserted");
    ring.update_one(doc! {"_id": "w3"}, doc! {"$set": {"text": "y"}}).await.expect("is changed");
    migration.post("commit").await;
    let failed = migration.end().await;
    assert_eq!(failed.code, Some(1), "{}\n{}", failed.stdout, failed.stderr);
    assert!(failed.stderr.contains("MF-CUTOVER-4"), "{}", failed.stderr);

    let mut migration = Migration::between(&clusters, state.path()).start();
    migration.wait_for_phase(Phase::Ready).await;
    let json = migration.command(&["verify", "--json"]).await;
    let differences: Vec<serde_json::Value> = serde_json::from_slice(&json.stdout).expect("a JSON array");
    assert_eq!((json.status.code(), differences.len()), (Some(3), 5), "{json:?}");
    // What is missing from a capped collection can't be put in its place; preparing the cutover does.
    ring.delete_one(doc! {"_id": "w4"}).await.expect("is deleted");
    let repaired = migration.command(&["verify", "--repair"]).await;
    assert_eq!(repaired.status.code(), Some(0), "{repaired:?}");
    let told = String::from_utf8_lossy(&repaired.stderr).into_owned();
    assert!(told.contains("MF-VERIFY-6") && told.contains("5 documents copied again"), "{told}");
    assert_eq!(migration.command(&["verify"]).await.status.code(), Some(0));
    migration.post("commit").await;
    migration.end_committed().await;
    clusters.assert_equal().await;
}

/// GIVEN a cutover behind its point of no return WHEN somebody changes an index on the destination before all is compared THEN that is
/// named and stops it; the same command finalizes again, which mends it, and commits.
#[tokio::test(flavor = "multi_thread")]
async fn an_index_changed_while_finalizing_is_named_and_mended() {
    let clusters = Clusters::with_fail_points().await;
    let source = clusters.source_client().await.database("shop");
    let expiring = doc! {"key": {"at": 1}, "name": "expiring", "expireAfterSeconds": 2_000_000_000};
    source.run_command(doc! {"createIndexes": "orders", "indexes": [expiring]}).await.expect("is created");
    source.collection("orders").insert_one(doc! {"_id": 1}).await.expect("is inserted");
    let state = tempfile::tempdir().expect("a directory");
    let mut migration = Migration::between(&clusters, state.path()).start();
    migration.wait_for("everything compared", is_done).await;
    // The verifier asks for it before it compares indexes, and at no other time.
    let destination = clusters.destination_client().await;
    let asking = HeldCommands::on(&destination);
    asking.hold("verifier", &["buildInfo"]).await;
    migration.post("commit").await;
    let is_held = |status: &MigrationStatus| {
        status.phase == Phase::Finalizing && status.warnings.iter().any(|warning| warning.role == "verifier")
    };
    migration.wait_for("the verifier is held back", is_held).await;
    let sooner = doc! {"collMod": "orders", "index": {"name": "expiring", "expireAfterSeconds": 1_999_999_999}};
    destination.database("shop").run_command(sooner).await.expect("is changed");
    asking.release().await;
    let failed = migration.end().await;
    assert!(failed.stderr.contains("MF-CUTOVER-4"), "{}", failed.stderr);
    let told = "2000000000 on the source, 1999999999 on the destination";
    assert!(failed.stderr.contains("shop.orders expiring") && failed.stderr.contains(told), "{}", failed.stderr);

    Migration::between(&clusters, state.path()).start().end_committed().await;
    clusters.assert_equal().await;
}
