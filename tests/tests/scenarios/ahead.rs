use mongodb::bson::{Document, doc};
use mongoferry_protocol::{MigrationStatus, Phase, VerifiedAheadView};
use mongoferry_tests::{Clusters, Migration, kill};

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
