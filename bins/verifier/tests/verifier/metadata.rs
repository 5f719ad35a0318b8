//! Options, views and indexes.

use bson::{Document, doc};
use mongoferry_mongo::{facts, list_metadata};
use mongoferry_protocol::{Difference, DifferenceKind};
use mongoferry_testbed::{MongodVersion, ReplicaSet};
use mongoferry_verifier::compare_metadata;

use crate::pair::Pair;

async fn compare(pair: &Pair) -> Vec<Difference> {
    let source = list_metadata(&pair.source_cluster).await.expect("listed");
    let destination = list_metadata(&pair.destination_cluster).await.expect("listed");
    let version = facts(&pair.destination_cluster).await.expect("facts").version;
    compare_metadata(&source, &destination, version).expect("readable")
}

async fn run(client: &mongodb::Client, command: Document) {
    client.database("shop").run_command(command).await.expect("the command runs");
}

/// The same collections, views and indexes on both sides.
async fn fill(pair: &Pair) {
    for client in pair.both() {
        run(client, doc! {"create": "orders", "validator": {"total": {"$gte": 0}}}).await;
        run(client, doc! {"create": "recent", "viewOn": "orders", "pipeline": [{"$match": {"a": 1}}]}).await;
        let indexes = [
            doc! {"key": {"a": 1, "b": -1}, "name": "a_b", "unique": true},
            doc! {"key": {"at": 1}, "name": "ttl", "expireAfterSeconds": 3600},
            doc! {"key": {"t": "text"}, "name": "words", "weights": {"t": 3}},
            doc! {"key": {"c": 1}, "name": "partial", "partialFilterExpression": {"c": {"$gt": 1}}},
            doc! {"key": {"d": 1}, "name": "collated", "collation": {"locale": "de"}, "background": true},
            doc! {"key": {"$**": 1}, "name": "wild", "wildcardProjection": {"a": 0}},
            doc! {"key": {"p": "2dsphere"}, "name": "place"},
        ];
        run(client, doc! {"createIndexes": "orders", "indexes": indexes.to_vec()}).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_of_different_versions_list_equal_things_equally() {
    for version in [MongodVersion::V4_2_6, MongodVersion::V4_4_2, MongodVersion::V5_0_4] {
        let pair = Pair::of(ReplicaSet::builder().version(version), ReplicaSet::builder()).await;
        fill(&pair).await;
        assert_eq!(compare(&pair).await, [], "{version}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn metadata_is_compared_field_by_field() {
    let pair = Pair::start().await;
    fill(&pair).await;
    assert_eq!(compare(&pair).await, []);

    // WHEN one thing of each kind differs
    run(&pair.destination, doc! {"collMod": "orders", "validationLevel": "moderate"}).await;
    run(&pair.destination, doc! {"collMod": "recent", "viewOn": "orders", "pipeline": []}).await;
    run(&pair.destination, doc! {"collMod": "orders", "index": {"name": "ttl", "expireAfterSeconds": 60}}).await;
    run(&pair.destination, doc! {"dropIndexes": "orders", "index": "partial"}).await;
    run(&pair.destination, doc! {"create": "left-over"}).await;
    run(&pair.source, doc! {"create": "forgotten"}).await;

    // THEN each is named
    let found = compare(&pair).await;
    let summary: Vec<_> =
        found.iter().map(|found| (found.kind, found.namespace.as_str(), found.item.as_deref())).collect();
    assert_eq!(
        summary,
        [
            (DifferenceKind::MissingCollection, "shop.forgotten", None),
            (DifferenceKind::ExtraCollection, "shop.left-over", None),
            (DifferenceKind::CollectionOptions, "shop.orders", None),
            (DifferenceKind::Index, "shop.orders", Some("partial")),
            (DifferenceKind::Index, "shop.orders", Some("ttl")),
            (DifferenceKind::View, "shop.recent", None),
        ],
        "{found:#?}"
    );
    assert_eq!(found[4].detail, "expireAfterSeconds: 3600 on the source, 60 on the destination");
}
