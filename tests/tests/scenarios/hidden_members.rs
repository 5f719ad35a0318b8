use mongodb::bson::doc;
use mongoferry_testbed::{ProxyMode, ReplicaSet};
use mongoferry_tests::{Clusters, Migration};

/// GIVEN a source and a destination whose own names lead nowhere from here, as behind a tunnel, WHEN the strings name the
/// addresses that do THEN these are used alone, with a warning, for the whole migration.
#[tokio::test(flavor = "multi_thread")]
async fn members_whose_own_names_lead_nowhere_are_reached_by_the_named_address() {
    let hidden = || ReplicaSet::builder().behind_proxies().start();
    let (source, destination) = tokio::join!(hidden(), hidden());
    let clusters = Clusters { source: source.expect("starts"), destination: destination.expect("starts") };
    let orders = clusters.source_client().await.database("shop").collection("orders");
    orders.insert_many((0..1_000).map(|n| doc! {"_id": n})).await.expect("is inserted");
    let named = |set: &ReplicaSet| format!("mongodb://127.0.0.1:{}/?replicaSet=rs", set.member_port(0));
    for set in [&clusters.source, &clusters.destination] {
        set.proxy(0).set(ProxyMode::Refuse);
    }
    let state = tempfile::tempdir().expect("a directory");
    let migration = Migration::between(&clusters, state.path())
        .source(&named(&clusters.source))
        .destination(&named(&clusters.destination))
        .argument("--cutover=auto");
    let outcome = migration.start().end_committed().await;
    assert_eq!(outcome.stderr.matches("is used alone").count(), 2, "{}", outcome.stderr);
    for set in [&clusters.source, &clusters.destination] {
        set.proxy(0).set(ProxyMode::Pass);
    }
    clusters.assert_equal().await;
}
