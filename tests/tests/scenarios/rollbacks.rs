//! Writes that only one primary ever had, and that are rolled back when it comes back.

use mongodb::{
    Client,
    bson::{Document, doc},
    options::ReadConcern,
};
use mongoferry_protocol::{MigrationStatus, Optime, Phase};
use mongoferry_testbed::ReplicaSet;
use mongoferry_tests::{Clusters, HeldCommands, Migration, set_replication};

const DATABASE: &str = "rollback";
const COLLECTION: &str = "many";
const DOCUMENTS: i32 = 8_000;
/// Of documents that are to be rolled back.
const LOST: std::ops::Range<i32> = 50_000..50_020;

/// Three members on one side, with fail points on both.
async fn clusters(source_members: usize, destination_members: usize) -> Clusters {
    let set = |members| ReplicaSet::builder().members(members).parameter("enableTestCommands=1").start();
    let (source, destination) = tokio::join!(set(source_members), set(destination_members));
    Clusters { source: source.expect("a source starts"), destination: destination.expect("a destination starts") }
}

async fn insert(client: &Client, ids: std::ops::Range<i32>, concern: Document) -> Optime {
    let text = "x".repeat(1_000);
    let documents: Vec<Document> = ids.map(|id| doc! {"_id": id, "text": &text}).collect();
    let command = doc! {"insert": COLLECTION, "documents": documents, "writeConcern": concern};
    let reply = client.database(DATABASE).run_command(command).await.expect("is written");
    let time = reply.get_timestamp("operationTime").expect("a reply has a time");
    Optime::new(time.time, time.increment)
}

async fn count(client: &Client, filter: Document, concern: ReadConcern) -> u64 {
    let collection = client.database(DATABASE).collection::<Document>(COLLECTION);
    collection.count_documents(filter).read_concern(concern).await.expect("counts")
}

/// From now on a set's secondaries live, but take nothing over from the primary, whose index this returns.
async fn cut_replication(set: &mut ReplicaSet) -> usize {
    let primary = set.primary_index().await.expect("a primary");
    set_replication(set, primary, "alwaysOn").await;
    primary
}

/// Kills the primary that alone has the last writes, lets the others elect one, and brings it back: it rolls back.
async fn roll_back(set: &mut ReplicaSet, primary: usize) {
    let client = set.client_of_member(primary).await.expect("answers");
    let on_disk = doc! {"appendOplogNote": 1, "data": {"on": "disk"}, "writeConcern": {"w": 1, "j": true}};
    client.database("admin").run_command(on_disk).await.expect("is written");
    let before = rollback_id(&client).await;
    set.kill(primary);
    set_replication(set, primary, "off").await;
    let successor = set.primary_index().await.expect("another primary");
    assert_ne!(successor, primary);
    set.restart(primary).await.expect("comes back");
    let client = set.client_of_member(primary).await.expect("answers");
    while rollback_id(&client).await == before {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

async fn rollback_id(member: &Client) -> i32 {
    // It drops connections while it rolls back.
    let reply = member.database("admin").run_command(doc! {"replSetGetRBID": 1}).await;
    reply.ok().and_then(|reply| reply.get_i32("rbid").ok()).unwrap_or(-1)
}

/// GIVEN a source whose primary has writes that no other member takes over, in the copy and after it WHEN they are rolled back THEN
/// none of them was ever on the destination.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_source_rolls_back_never_arrives() {
    let mut clusters = clusters(3, 1).await;
    let destination = clusters.destination_client().await;
    insert(&clusters.source_client().await, 0..DOCUMENTS, doc! {"w": 3}).await;
    HeldCommands::on(&destination).hold("copier", &["insert"]).await;
    let state = tempfile::tempdir().expect("a directory");
    let mut migration = Migration::between(&clusters, state.path()).start();
    migration.wait_for("the copy is under way", |status| status.phase == Phase::Copying).await;

    let primary = cut_replication(&mut clusters.source).await;
    let lonely = clusters.source.client_of_member(primary).await.expect("answers");
    let lost = insert(&lonely, LOST, doc! {"w": 1, "j": true}).await;
    let change = doc! {"update": COLLECTION, "updates": [{"q": {}, "u": {"$set": {"lost": true}}, "multi": true}],
    "writeConcern": {"w": 1, "j": true}};
    lonely.database(DATABASE).run_command(change).await.expect("is written");
    HeldCommands::on(&destination).release().await;
    let status = migration.wait_for("the copy is over", |status| status.phase != Phase::Copying).await;
    assert!(status.captured_optime.is_some_and(|captured| captured < lost), "{status:#?}");
    let of_lost = || doc! {"$or": [{"_id": {"$gte": LOST.start}}, {"lost": true}]};
    assert_eq!(count(&destination, of_lost(), ReadConcern::local()).await, 0);

    roll_back(&mut clusters.source, primary).await;
    insert(&clusters.source_client().await, DOCUMENTS..DOCUMENTS + 100, doc! {"w": "majority"}).await;
    migration.until_in_step(&clusters).await;
    assert_eq!(count(&destination, of_lost(), ReadConcern::local()).await, 0);
    migration.wait_for_phase(Phase::Ready).await;
    migration.post("commit").await;
    migration.end_committed().await;
    clusters.assert_equal().await;
}

/// GIVEN a destination whose primary has writes of the copier, and later of the applier, that no other member takes over WHEN they
/// are rolled back THEN none of them was believed durable, and the migration writes them again.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_destination_rolls_back_is_written_again() {
    let mut clusters = clusters(1, 3).await;
    let source = clusters.source_client().await;
    insert(&source, 0..DOCUMENTS, doc! {"w": 1}).await;
    let first = clusters.destination.primary_index().await.expect("a primary");
    let lonely = clusters.destination.client_of_member(first).await.expect("answers");
    let held = HeldCommands::on(&lonely);
    held.hold_after("copier", &["insert"], 3).await;
    let state = tempfile::tempdir().expect("a directory");
    let mut migration =
        Migration::between(&clusters, state.path()).environment("MONGOFERRY_COPIER_RANGE_MIB", "1").start();
    let under_way = |status: &MigrationStatus| status.phase == Phase::Copying && status.documents > 0;
    migration.wait_for("the copy is under way", under_way).await;
    assert_eq!(cut_replication(&mut clusters.destination).await, first);
    held.hold_after("copier", &["insert"], 3).await;
    let durable = count(&lonely, doc! {}, ReadConcern::majority()).await;
    while count(&lonely, doc! {}, ReadConcern::local()).await <= durable {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let status = migration.wait_for("an answer", |_| true).await;
    assert!(status.documents <= durable, "{} believed, {durable} durable", status.documents);
    // The fail point ends with the server.
    roll_back(&mut clusters.destination, first).await;
    migration.wait_for_phase(Phase::Ready).await;
    assert_eq!(migration.status().await.expect("answers").documents, DOCUMENTS as u64);

    let second = cut_replication(&mut clusters.destination).await;
    let lonely = clusters.destination.client_of_member(second).await.expect("answers");
    let written = insert(&source, LOST, doc! {"w": 1}).await;
    while count(&lonely, doc! {"_id": {"$gte": LOST.start}}, ReadConcern::local()).await == 0 {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let status = migration.wait_for("an answer", |_| true).await;
    assert!(status.applied_optime.is_some_and(|applied| applied < written), "{status:#?}");
    roll_back(&mut clusters.destination, second).await;
    migration.until_in_step(&clusters).await;
    let destination = clusters.destination_client().await;
    assert_eq!(count(&destination, doc! {}, ReadConcern::majority()).await, DOCUMENTS as u64 + LOST.len() as u64);
    migration.wait_for_phase(Phase::Ready).await;
    migration.post("commit").await;
    migration.end_committed().await;
    clusters.assert_equal().await;
}
