use mongoferry_protocol::{IndexState, MigrationStatus, Phase};
use mongoferry_tests::{CatalogHistory, Clusters, Filling, HeldCommands, Migration};

/// GIVEN collections that are renamed, dropped, created anew, replaced and moved to another database, each kind WHEN that
/// happens after the listing and before the planning, between planning and reading, in the middle of a range and between
/// ranges, during the index builds, and while changes are applied THEN the destination has what the source has.
#[tokio::test(flavor = "multi_thread")]
async fn the_catalog_may_change_at_any_moment() {
    let clusters = Clusters::with_fail_points().await;
    let (source, destination) = (clusters.source_client().await, clusters.destination_client().await);
    let history = |moment: &str| CatalogHistory::of(&source, moment);
    for moment in ["listed", "planned", "indexing", "ready"] {
        history(moment).fill(Filling::Small).await;
    }
    let reading = history("reading");
    reading.fill(Filling::Large { whole: 6, divided: 14 }).await;
    let on_source = HeldCommands::on(&source);
    let on_destination = HeldCommands::on(&destination);
    on_destination.hold("copier", &["create"]).await;
    let state = tempfile::tempdir().expect("a directory");
    let mut migration = Migration::between(&clusters, state.path())
        .argument("--copiers=5")
        .environment("MONGOFERRY_COPIER_RANGE_MIB", "8")
        .start();

    migration.wait_for("the source is listed", |status| !status.collections.is_empty()).await;
    history("listed").change().await;
    on_source.hold("copier", &["find"]).await;
    on_destination.release().await;
    migration.wait_for("everything is planned", |status| status.collections.iter().all(|c| c.ranges_total > 0)).await;
    history("planned").change().await;

    on_destination.hold("indexer", &["createIndexes"]).await;
    on_source.hold("copier", &["getMore"]).await;
    let victims = reading.victims();
    migration.wait_for("the middle of every range", |status| victims.iter().all(|name| is_begun(status, name))).await;
    reading.change().await;

    on_source.release().await;
    let is_indexing = |status: &MigrationStatus| {
        let copied = status.collections.iter().all(|collection| collection.complete);
        copied && status.indexes.iter().any(|index| index.state == IndexState::Building)
    };
    migration.wait_for("indexes are being built", is_indexing).await;
    history("indexing").change().await;
    on_destination.release().await;

    migration.wait_for("ready and idle", |status| status.phase == Phase::Ready && status.gap_closed).await;
    history("ready").change().await;
    migration.wait_for("all is applied", |status| status.gap_closed).await;
    migration.post("commit").await;
    migration.end_committed().await;
    clusters.assert_equal().await;
}

/// Some of the collection is copied, and not all.
fn is_begun(status: &MigrationStatus, namespace: &str) -> bool {
    status.collections.iter().any(|c| c.namespace == namespace && c.documents > 0 && !c.complete)
}
