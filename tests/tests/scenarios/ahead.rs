use std::time::Duration;

use mongodb::bson::{Document, doc};
use mongoferry_protocol::{CopierStatus, MigrationStatus, Phase, Report, VerifiedAheadView};
use mongoferry_testbed::{NatsServer, ReplicaSet, SeedSize, seed};
use mongoferry_tests::{Clusters, Migration, StageProcess, kill, suspend, wake};
use tokio::time::Instant;

fn ahead(status: &MigrationStatus) -> VerifiedAheadView {
    status.verified_ahead.clone().unwrap_or_default()
}

/// All that can be is compared, and so is what has changed since.
fn is_done(status: &MigrationStatus) -> bool {
    let ahead = ahead(status);
    status.phase == Phase::Ready && ahead.collections_total > 0 && ahead.collections == ahead.collections_total
}

/// GIVEN a source under writes WHEN the migration is ready THEN all documents are verified ahead, those that change again and
/// again too; a verifier that is killed goes on where it was; WHEN somebody writes on the destination THEN the documents
/// concerned are named, and no longer once they are as before; and the cutover ends with both sides equal.
#[tokio::test(flavor = "multi_thread")]
async fn documents_are_verified_while_users_write() {
    let clusters = Clusters::seeded(60).await;
    let shop = clusters.source_client().await.database("shop");
    shop.collection::<Document>("still").insert_many((0..1_000).map(|n| doc! {"_id": n})).await.expect("is inserted");
    let workload = clusters.workload(300).await;
    let state = tempfile::tempdir().expect("a directory");
    let mut migration = Migration::between(&clusters, state.path()).start();
    migration.wait_for_phase(Phase::Ready).await;
    let verifier = migration.process("verifier").await;
    kill(verifier.pid);
    migration.wait_for("everything compared", is_done).await;
    let again = ahead(&migration.status().await.expect("answers")).compared_again;
    migration.wait_for("changes compared again", |status| ahead(status).compared_again > again + 1_000).await;

    let copied = clusters.destination_client().await.database("shop").collection::<Document>("still");
    copied.update_one(doc! {"_id": 5}, doc! {"$set": {"v": -5}}).await.expect("is changed");
    copied.delete_one(doc! {"_id": 77}).await.expect("is deleted");
    copied.insert_one(doc! {"_id": "foreign"}).await.expect("is inserted");
    let told = migration.wait_for("differences", |status| ahead(status).differing_count == 3).await;
    assert_eq!(ahead(&told).foreign_writes, 3);
    assert!(ahead(&told).differing.iter().all(|difference| difference.namespace == "shop.still"), "{told:?}");
    let codes: Vec<&str> = told.warnings.iter().map(|warning| warning.code.as_str()).collect();
    assert!(codes.contains(&"MF-VERIFY-3") && codes.contains(&"MF-VERIFY-4"), "{codes:?}");
    let shown = migration.command(&["status"]).await;
    assert!(String::from_utf8_lossy(&shown.stdout).contains("3 documents DIFFERENT"), "{shown:?}");
    let listed = migration.command(&["verify", "--list"]).await;
    let lines = String::from_utf8_lossy(&listed.stdout).into_owned();
    assert_eq!((listed.status.code(), lines.lines().count()), (Some(3), 3), "{lines}");
    assert!(lines.contains("shop.still 77: exists on the source only"), "{lines}");
    copied.replace_one(doc! {"_id": 5}, doc! {"_id": 5}).await.expect("is replaced");
    copied.insert_one(doc! {"_id": 77}).await.expect("is inserted");
    copied.delete_one(doc! {"_id": "foreign"}).await.expect("is deleted");
    migration.wait_for("no differences", |status| ahead(status).differing_count == 0).await;

    assert_eq!(migration.command(&["verify"]).await.status.code(), Some(0));

    workload.stop().await.expect("the workload met no error");
    migration.post("commit").await;
    migration.end_committed().await;
    clusters.assert_equal().await;
}

/// Until something is captured that was written more than a second after this call.
async fn until_captured_later(migration: &mut Migration, clusters: &Clusters) {
    let admin = clusters.source_client().await.database("admin");
    let note = admin.run_command(doc! {"appendOplogNote": 1, "data": {"it is": "now"}}).await.expect("is written");
    let now = note.get_timestamp("operationTime").expect("a reply has a time").time;
    let later = |status: &MigrationStatus| status.captured_optime.is_some_and(|optime| optime.t > now + 1);
    migration.wait_for("more is captured", later).await;
}

/// GIVEN a source whose oplog goes on with entries that change nothing, also while it is silent WHEN the applier is held back for a while
/// at the cutover, so that such entries wait behind the note THEN what was verified ahead is made use of, and nothing is waited for.
#[tokio::test(flavor = "multi_thread")]
async fn entries_behind_the_note_hold_up_nothing() {
    let clusters = Clusters::seeded(5).await;
    let state = tempfile::tempdir().expect("a directory");
    let mut migration = Migration::between(&clusters, state.path()).start();
    migration.wait_for("everything compared", is_done).await;
    let admin = clusters.source_client().await.database("admin");
    let notes = tokio::spawn(async move {
        let mut often = tokio::time::interval(Duration::from_millis(5));
        loop {
            admin.run_command(doc! {"appendOplogNote": 1, "data": {"behind": "the note"}}).await.expect("is written");
            often.tick().await;
        }
    });
    let applier = migration.process("applier").await.pid;
    suspend(applier);
    // So that the verifier waits for what came before, with the note and what follows it at once behind that.
    until_captured_later(&mut migration, &clusters).await;
    migration.post("commit").await;
    migration.wait_for_phase(Phase::Draining).await;
    until_captured_later(&mut migration, &clusters).await;
    let woken = Instant::now();
    wake(applier);
    let report = migration.state_file("report.json");
    migration.end_committed().await;
    let took = woken.elapsed();
    notes.abort();
    let report = std::fs::read_to_string(report).expect("the command left a report");
    let report: Report = serde_json::from_str(&report).expect("the report is JSON");
    eprintln!("write downtime {:?} ms, ended {took:.1?} after the applier went on", report.write_downtime_ms);
    // Waiting for it in vain took a minute.
    assert!(took < Duration::from_secs(30), "{took:?}");
    clusters.assert_equal().await;
}

/// GIVEN a destination whose oplog the user may not read any more WHEN the migration is ready THEN nothing is verified ahead; WHEN the
/// right is given back THEN it begins again by itself.
#[tokio::test(flavor = "multi_thread")]
async fn rights_that_are_given_back_are_made_use_of() {
    let (source, destination) = tokio::join!(ReplicaSet::single(), ReplicaSet::builder().auth().start());
    let clusters = Clusters { source: source.expect("starts"), destination: destination.expect("starts") };
    seed::fill(&clusters.source_client().await, SeedSize { mib: 1 }).await.expect("the source is filled");
    let roles = doc! {"pwd": "ferry", "roles": ["readWriteAnyDatabase", "dbAdminAnyDatabase", "clusterMonitor"]};
    clusters.destination.create_user("ferry", roles).await.expect("is created");
    let state = tempfile::tempdir().expect("a directory");
    let migration = Migration::between(&clusters, state.path());
    let mut migration = migration.destination(&clusters.destination.uri_for("ferry", "ferry")).start();
    migration.wait_for("everything compared", is_done).await;
    let admin = clusters.destination_client().await.database("admin");
    let change = async |command: &str| {
        admin.run_command(doc! {command: "ferry", "roles": ["clusterMonitor"]}).await.expect("is changed");
    };
    change("revokeRolesFromUser").await;
    migration.wait_for("nothing is known", |status| status.verified_ahead.is_none()).await;
    change("grantRolesToUser").await;
    migration.wait_for("everything compared again", is_done).await;
    migration.post("commit").await;
    migration.end_committed().await;
    clusters.assert_equal().await;
}

/// GIVEN two verifiers WHEN the one that acts is suspended, and later the other killed THEN the one that is left acts, and knows what
/// was known.
#[tokio::test(flavor = "multi_thread")]
async fn a_standby_goes_on_verifying() {
    let clusters = Clusters::seeded(1).await;
    let nats = NatsServer::builder().start().await.expect("nats-server starts");
    let state = tempfile::tempdir().expect("a directory");
    let migration = Migration::between(&clusters, state.path()).argument(&format!("--nats={}", nats.url()));
    let mut migration = migration.argument("--id=pair").start();
    migration.wait_for("everything compared", is_done).await;
    let first = migration.process("verifier").await;
    let (source, destination, url) = (clusters.source.uri(), clusters.destination.uri(), nats.url());
    let settings = [
        ("MONGOFERRY_SOURCE", source.as_str()),
        ("MONGOFERRY_DESTINATION", destination.as_str()),
        ("MONGOFERRY_NATS", url.as_str()),
        ("MONGOFERRY_ID", "pair"),
    ];
    let second = StageProcess::start("mongoferry-verifier", &["--instance", "second"], &settings, state.path());
    let is_second = |process: &CopierStatus| process.instance == "second";
    migration.wait_for("a standby", |status| status.copiers.iter().any(|one| is_second(one) && !one.active)).await;

    suspend(first.pid);
    let acts = |status: &MigrationStatus| status.copiers.iter().any(|one| is_second(one) && one.active);
    migration.wait_for("the standby acts", acts).await;
    let orders = clusters.destination_client().await.database("shop").collection::<Document>("orders");
    orders.insert_one(doc! {"_id": "foreign"}).await.expect("is inserted");
    migration.wait_for("a difference", |status| ahead(status).differing_count == 1).await;
    wake(first.pid);
    second.kill();
    let acts = |status: &MigrationStatus| {
        let is_it =
            |one: &CopierStatus| one.role == "verifier" && !is_second(one) && one.active && one.seen_ms_ago < 2_000;
        status.copiers.iter().any(is_it) && ahead(status).differing_count == 1
    };
    migration.wait_for("the other one acts", acts).await;
    assert_eq!(migration.command(&["verify", "--repair"]).await.status.code(), Some(0));
    migration.post("commit").await;
    migration.end_committed().await;
    clusters.assert_equal().await;
}
