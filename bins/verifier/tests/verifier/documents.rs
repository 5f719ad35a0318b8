//! Documents of one collection.

use std::time::Duration;

use bson::{Bson, Document, doc, oid::ObjectId};
use mongodb::{Client, Collection};
use mongoferry_mongo::last_optimes;
use mongoferry_protocol::{DifferenceKind, Namespace, Optime};
use mongoferry_testbed::{MongodVersion, ReplicaSet};
use mongoferry_verifier::{CollectionPair, CollectionProgress, DifferenceList, Side, compare_documents};

use crate::pair::Pair;

fn orders(client: &Client) -> Collection<Document> {
    client.database("shop").collection("orders")
}

fn sides(pair: &Pair) -> CollectionPair {
    let side = |cluster: &mongoferry_mongo::Cluster| Side {
        cluster: cluster.clone(),
        namespace: Namespace::new("shop", "orders"),
        not_before: Optime::ZERO,
    };
    CollectionPair {
        namespace: Namespace::new("shop", "orders"),
        ordered: false,
        source: side(&pair.source_cluster),
        destination: side(&pair.destination_cluster),
        average_document_bytes: 0,
    }
}

async fn compare(pair: &Pair) -> DifferenceList {
    compare_documents(&sides(pair), &CollectionProgress::default()).await.expect("compared")
}

fn kinds(found: &DifferenceList) -> Vec<(DifferenceKind, &str)> {
    found.listed.iter().map(|found| (found.kind, found.item.as_deref().expect("an _id"))).collect()
}

/// `_id`s of every kind that could confuse a filter or an order.
fn odd_documents() -> Vec<Document> {
    let ids = [
        Bson::MinKey,
        Bson::MaxKey,
        Bson::Null,
        Bson::Double(f64::NAN),
        Bson::Double(1.5),
        Bson::Boolean(false),
        Bson::String("ü\0".into()),
        Bson::ObjectId(ObjectId::from_bytes([7; 12])),
        Bson::DateTime(bson::DateTime::from_millis(-1)),
        Bson::Document(doc! {"a": {"$ref": "x", "$id": 1}, "b": [1, null]}),
        Bson::Document(doc! {}),
        Bson::Timestamp(bson::Timestamp { time: 1, increment: 2 }),
    ];
    ids.into_iter().map(|id| doc! {"_id": id, "payload": "x".repeat(50)}).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn equal_documents_in_another_order_are_equal() {
    let oldest = ReplicaSet::builder().version(MongodVersion::V4_2_6);
    let pair = Pair::of(oldest, ReplicaSet::builder()).await;
    let mut documents: Vec<Document> = (0..5_000).map(|n| doc! {"_id": n, "n": n * 7}).collect();
    documents.extend(odd_documents());
    orders(&pair.source).insert_many(&documents).await.expect("inserted");
    documents.reverse();
    orders(&pair.destination).insert_many(&documents).await.expect("inserted");

    let progress = CollectionProgress::default();
    let mut sides = sides(&pair);
    sides.source.not_before = last_optimes(&pair.source_cluster).await.expect("optimes").last;
    let found = compare_documents(&sides, &progress).await.expect("compared");
    assert_eq!(found.count, 0, "{found:?}");
    assert_eq!(progress.documents(), documents.len() as u64);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_difference_is_found_and_named() {
    let pair = Pair::start().await;
    for client in pair.both() {
        let documents = (0..2_000).map(|n| doc! {"_id": n, "text": "abc"}).chain(odd_documents());
        orders(client).insert_many(documents).await.expect("inserted");
    }
    // One byte changed, one missing, one extra, one whose only change is the order of its fields.
    let destination = orders(&pair.destination);
    destination.update_one(doc! {"_id": 7}, doc! {"$set": {"text": "abd"}}).await.expect("updated");
    destination.delete_one(doc! {"_id": 8}).await.expect("deleted");
    destination.insert_one(doc! {"_id": "extra"}).await.expect("inserted");
    orders(&pair.source).replace_one(doc! {"_id": 9}, doc! {"text": "abc", "x": 1}).await.expect("replaced");
    destination.replace_one(doc! {"_id": 9}, doc! {"x": 1, "text": "abc"}).await.expect("replaced");
    destination.delete_one(doc! {"_id": {"$eq": Bson::MaxKey}}).await.expect("deleted");

    let found = compare(&pair).await;
    let mut kinds = kinds(&found);
    kinds.sort_by_key(|(_, item)| item.to_string());
    assert_eq!(
        kinds,
        [
            (DifferenceKind::ExtraDocument, "\"extra\""),
            (DifferenceKind::ChangedDocument, "7"),
            (DifferenceKind::MissingDocument, "8"),
            (DifferenceKind::ChangedDocument, "9"),
            (DifferenceKind::MissingDocument, r#"{"$maxKey":1}"#),
        ]
    );
    assert_eq!(found.count, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_order_of_a_capped_collection_counts() {
    let oldest = ReplicaSet::builder().version(MongodVersion::V4_2_6);
    let pair = Pair::of(oldest, ReplicaSet::builder()).await;
    for (client, ids) in pair.both().into_iter().zip([[1, 2, 3, 4], [1, 3, 2, 4]]) {
        let capped = doc! {"create": "orders", "capped": true, "size": 1 << 20};
        client.database("shop").run_command(capped).await.expect("created");
        orders(client).insert_many(ids.map(|n| doc! {"_id": n})).await.expect("inserted");
    }
    let ordered = CollectionPair { ordered: true, ..sides(&pair) };
    let found = compare_documents(&ordered, &CollectionProgress::default()).await.expect("compared");
    assert_eq!((found.count, found.listed[0].kind), (1, DifferenceKind::DocumentOrder));
    assert_eq!(compare(&pair).await.count, 0, "elsewhere it does not");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_differences_are_counted_and_some_listed() {
    let pair = Pair::start().await;
    let documents: Vec<Document> = (0..120_000).map(|n| doc! {"_id": n}).collect();
    for part in documents.chunks(40_000) {
        orders(&pair.source).insert_many(part).await.expect("inserted");
    }
    let found = compare(&pair).await;
    assert_eq!((found.count, found.listed.len()), (120_000, DifferenceList::PER_COLLECTION));
    assert_eq!(found.listed[0].kind, DifferenceKind::MissingDocument);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_arrives_a_moment_later_is_no_difference() {
    let pair = Pair::start().await;
    for client in pair.both() {
        orders(client).insert_many((0..10).map(|n| doc! {"_id": n})).await.expect("inserted");
    }
    // GIVEN a document that the source's TTL monitor deleted, and whose deletion is on its way
    orders(&pair.source).delete_one(doc! {"_id": 3}).await.expect("deleted");
    let late = orders(&pair.destination);
    let arrival = tokio::spawn(async move {
        // The arrival is what is under test, not something waited for.
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        late.delete_one(doc! {"_id": 3}).await.expect("deleted");
    });
    // WHEN both are compared meanwhile THEN they are equal
    assert_eq!(compare(&pair).await.count, 0);
    arrival.await.expect("arrived");
}
