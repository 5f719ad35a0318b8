use std::collections::BTreeMap;

use bson::doc;
use mongoferry_mongo::{
    Fenced, OplogCursor, append_note, build_indexes, choose_start_point, create_collection, draw_ranges, facts,
    finalize, list_catalog, list_indexes, prepare_finalization,
};
use mongoferry_testbed::{MongodVersion, ReplicaSet};

use crate::{copying::read_into, of_set};

/// Everything that asks a source, on every version a source may have.
async fn serves_as_a_source(version: MongodVersion) {
    let source = of_set(ReplicaSet::builder().version(version).start().await.expect("a replica set")).await;
    let version = facts(&source.cluster).await.expect("facts").version;
    let start = choose_start_point(&source.cluster).await.unwrap_or_else(|e| panic!("{version}: {e:?}"));
    OplogCursor::open(&source.cluster, start.capture_from).await.unwrap_or_else(|e| panic!("{version}: {e:?}"));
    append_note(&source.cluster, doc! {"note": 1}).await.expect("writes").expect("permitted");
    source.insert("shop", "orders", (0..2_000).map(|n| doc! {"_id": n, "text": "x".repeat(500)}).collect()).await;
    let listing = list_catalog(&source.cluster).await.unwrap_or_else(|e| panic!("{version}: {e:?}"));
    let orders = &listing.collections[0];
    let uuid = orders.uuid.expect("a UUID");
    let ranges = draw_ranges(&source.cluster, version, uuid, &orders.namespace, orders.size_bytes, 200_000).await;
    let (ranges, mut seen) = (ranges.expect("draws").ranges, BTreeMap::new());
    assert!(ranges.len() > 1, "{version}");
    for range in &ranges {
        read_into(&source, range, &mut seen).await;
    }
    assert!(seen.len() == 2_000 && seen.values().all(|count| *count == 1), "{version}");
    source.end().await;
}

/// Indexes from a 4.2 source, whose specifications carry `ns`, become the same on a destination of this version.
async fn serves_as_a_destination(version: MongodVersion) {
    let source = of_set(ReplicaSet::builder().version(MongodVersion::V4_2_6).start().await.expect("a set")).await;
    let destination = of_set(ReplicaSet::builder().version(version).start().await.expect("a replica set")).await;
    let version = facts(&destination.cluster).await.expect("facts").version;
    let namespace = "shop.users".parse().expect("valid");
    let indexes = [
        doc! {"key": {"a": 1}, "name": "a", "unique": true},
        doc! {"key": {"t": 1}, "name": "t", "expireAfterSeconds": 60},
        doc! {"key": {"h": "hashed"}, "name": "h"},
    ];
    source.run("shop", doc! {"createIndexes": "users", "indexes": indexes.to_vec()}).await;
    create_collection(&destination.cluster, version, &namespace, &bson::rawdoc! {}).await.expect("creates");
    let specs = list_indexes(&source.cluster, &namespace).await.expect("lists");
    build_indexes(Fenced::alone(&destination.cluster), &namespace, None, &specs).await.expect("builds");
    prepare_finalization(&source.cluster, Fenced::alone(&destination.cluster)).await.expect("prepares");
    let finalized = finalize(&source.cluster, Fenced::alone(&destination.cluster)).await.expect("finalizes");
    assert_eq!(finalized.problems, Vec::<String>::new(), "{version}");
    let again = finalize(&source.cluster, Fenced::alone(&destination.cluster)).await.expect("finalizes");
    assert_eq!(again.done, Vec::<String>::new(), "{version}: all is equal");
    source.end().await;
    destination.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_version_serves_as_a_source() {
    for version in MongodVersion::ALL {
        serves_as_a_source(version).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn older_and_newer_destinations_get_the_same_indexes() {
    for version in [MongodVersion::V4_4_2, MongodVersion::V5_0_4, MongodVersion::V6_0_27] {
        serves_as_a_destination(version).await;
    }
}
