use std::collections::BTreeMap;

use bson::{Bson, Decimal128, Document, RawArrayBuf, RawDocument, RawDocumentBuf, doc, oid::ObjectId, rawdoc};
use mongoferry_mongo::{
    MongoError, RangeReader, RangeRequest, draw_ranges, facts, insert_raw, last_optimes, list_catalog,
};
use mongoferry_protocol::{CollectionUuid, CopyRange, Explain, Namespace, Optime, ReadOrder, Retry};

use mongoferry_testbed::{MongodVersion, ReplicaSet};

use crate::{Server, of_set, server};

/// Documents whose `_id`s are of every type, in no order.
fn mixed_documents() -> Vec<Document> {
    let odd = [
        Bson::MinKey,
        Bson::MaxKey,
        Bson::Null,
        Bson::Double(f64::NAN),
        Bson::Boolean(true),
        Bson::Binary(bson::Binary { subtype: bson::spec::BinarySubtype::Generic, bytes: vec![1, 2, 3] }),
        Bson::Decimal128("0.5".parse::<Decimal128>().expect("valid")),
        Bson::Timestamp(bson::Timestamp { time: 5, increment: 1 }),
        Bson::String(String::new()),
        Bson::Document(doc! {}),
    ];
    let regular = (0..6_000_i64).map(|n| match n % 6 {
        0 => Bson::ObjectId(ObjectId::new()),
        1 => Bson::Int64(n),
        2 => Bson::Double(n as f64 + 0.25),
        3 => Bson::String(format!("id {n}")),
        4 => Bson::Document(doc! {"tenant": n % 7, "n": n}),
        _ => Bson::DateTime(bson::DateTime::from_millis(n * 1_000)),
    });
    odd.into_iter().chain(regular).map(|id| doc! {"_id": id, "text": "x".repeat(100)}).collect()
}

async fn uuid_of(server: &Server, namespace: &str) -> (CollectionUuid, Namespace, u64) {
    let listing = list_catalog(&server.cluster).await.expect("lists");
    let info = listing.collections.into_iter().find(|info| info.namespace.to_string() == namespace).expect("listed");
    (info.uuid.expect("a UUID"), info.namespace, info.size_bytes)
}

fn request<'a>(range: &'a CopyRange, apply_after: Optime, resume: Option<&'a RawDocument>) -> RangeRequest<'a> {
    RangeRequest { database: "shop", range, resume, resumable: true, apply_after, average_document_bytes: 40_000 }
}

/// Counts by the bytes of `_id`.
pub async fn read_into(server: &Server, range: &CopyRange, seen: &mut BTreeMap<Vec<u8>, u32>) {
    let apply_after = last_optimes(&server.cluster).await.expect("optimes").majority;
    let mut reader = RangeReader::open(&server.cluster, &request(range, apply_after, None)).await.expect("opens");
    while let Some(batch) = reader.next().await.expect("reads") {
        let mut count = 0;
        for document in batch.array() {
            let id = document.expect("valid").as_document().expect("a document").get("_id").expect("valid");
            let mut key = RawDocumentBuf::new();
            key.append(bson::raw::cstr!("_id"), id.expect("an _id"));
            *seen.entry(key.into_bytes()).or_default() += 1;
            count += 1;
        }
        assert_eq!(count, batch.document_count());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ranges_cover_every_id_type_exactly_once() {
    let source = server().await;
    let documents = mixed_documents();
    for part in documents.chunks(1_000) {
        source.insert("shop", "orders", part.to_vec()).await;
    }
    let (uuid, namespace, size) = uuid_of(&source, "shop.orders").await;
    let version = facts(&source.cluster).await.expect("facts").version;

    let whole = draw_ranges(&source.cluster, version, uuid, &namespace, size, size).await.expect("draws").ranges;
    assert_eq!((whole.len(), whole[0].order), (1, ReadOrder::Natural));
    let divided = draw_ranges(&source.cluster, version, uuid, &namespace, size, size / 8).await.expect("draws").ranges;
    assert!((5..=9).contains(&divided.len()), "{}", divided.len());

    for ranges in [whole, divided] {
        let mut seen = BTreeMap::new();
        for range in &ranges {
            read_into(&source, range, &mut seen).await;
        }
        assert_eq!(seen.len(), documents.len());
        assert!(seen.values().all(|count| *count == 1));
    }
    source.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_range_goes_on_at_the_last_written_document() {
    let source = server().await;
    source.insert("shop", "orders", (0..1_000).map(|n| doc! {"_id": n}).collect()).await;
    source.insert("shop", "orders", vec![doc! {"_id": Bson::MaxKey}]).await;
    let (uuid, _, _) = uuid_of(&source, "shop.orders").await;
    let range = CopyRange { collection: uuid, number: 0, order: ReadOrder::ById, lower: None, upper: None };
    let apply_after = last_optimes(&source.cluster).await.expect("optimes").majority;
    let mut reader = RangeReader::open(&source.cluster, &request(&range, apply_after, None)).await.expect("opens");
    let first = reader.next().await.expect("reads").expect("a batch");
    let resume = first.resume_at().expect("an _id").to_owned();
    drop(reader);

    let again = request(&range, apply_after, Some(&resume));
    let mut reader = RangeReader::open(&source.cluster, &again).await.expect("opens");
    let mut read = first.document_count();
    while let Some(batch) = reader.next().await.expect("reads") {
        read += batch.document_count();
    }
    assert_eq!(read, 1_001 + 1, "the last document is read a second time, MaxKey is not forgotten");
    source.end().await;
}

/// Reads to the end, beginning again where the server closes the cursor; returns how often that was.
async fn read_through(source: &Server, range: &CopyRange, between: bson::Document) -> (u64, u32) {
    let apply_after = last_optimes(&source.cluster).await.expect("optimes").majority;
    let (mut seen, mut lost, mut resume, mut between) = (BTreeMap::new(), 0, None::<RawDocumentBuf>, Some(between));
    'opened: loop {
        let request = request(range, apply_after, resume.as_deref());
        let mut reader = RangeReader::open(&source.cluster, &request).await.expect("opens");
        loop {
            match reader.next().await {
                Ok(Some(batch)) => {
                    for document in batch.array() {
                        let document = document.expect("valid").as_document().expect("a document");
                        seen.insert(document.get_i32("_id").expect("a number"), ());
                    }
                    resume = batch.resume_at().map(ToOwned::to_owned);
                }
                Ok(None) => return (seen.len() as u64, lost),
                Err(error) => {
                    assert!(matches!(error, MongoError::CursorLost { .. }), "{error:?}");
                    lost += 1;
                    continue 'opened;
                }
            }
            if let Some(command) = between.take() {
                source.run("admin", command).await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rename_under_way_loses_nothing() {
    let source = server().await;
    for part in 0..5 {
        let documents = (0..1_000).map(|n| doc! {"_id": part * 1_000 + n, "text": "x".repeat(1_000)}).collect();
        source.insert("shop", "orders", documents).await;
    }
    let (uuid, namespace, size) = uuid_of(&source, "shop.orders").await;
    let version = facts(&source.cluster).await.expect("facts").version;
    let range = CopyRange { collection: uuid, number: 0, order: ReadOrder::ById, lower: None, upper: None };

    let (read, lost) =
        read_through(&source, &range, doc! {"renameCollection": "shop.orders", "to": "shop.moved"}).await;
    assert_eq!(read, 5_000);
    println!("the rename closed the cursor {lost} times");

    let ranges = draw_ranges(&source.cluster, version, uuid, &namespace, size, size / 4).await.expect("draws").ranges;
    assert!(ranges.len() > 1, "the collection is found under its new name");
    source.run("shop", doc! {"drop": "moved"}).await;
    let ranges = draw_ranges(&source.cluster, version, uuid, &namespace, size, size / 4).await.expect("draws").ranges;
    assert!(ranges.is_empty());
    let apply_after = last_optimes(&source.cluster).await.expect("optimes").majority;
    let error = RangeReader::open(&source.cluster, &request(&range, apply_after, None)).await.err().expect("gone");
    assert!(matches!(error, MongoError::CollectionGone { .. }), "{error:?}");
    source.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drop_under_way_ends_the_range() {
    let source = server().await;
    for part in 0..5 {
        let documents = (0..1_000).map(|n| doc! {"_id": part * 1_000 + n, "text": "x".repeat(1_000)}).collect();
        source.insert("shop", "orders", documents).await;
    }
    let (uuid, _, _) = uuid_of(&source, "shop.orders").await;
    let range = CopyRange { collection: uuid, number: 0, order: ReadOrder::Natural, lower: None, upper: None };
    let apply_after = last_optimes(&source.cluster).await.expect("optimes").majority;
    let mut reader = RangeReader::open(&source.cluster, &request(&range, apply_after, None)).await.expect("opens");
    reader.next().await.expect("reads").expect("a batch");
    source.run("shop", doc! {"drop": "orders"}).await;
    let error = loop {
        match reader.next().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("the range seems complete"),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, MongoError::CursorLost { .. } | MongoError::CollectionGone { .. }), "{error:?}");
    source.end().await;
}

fn array(documents: impl IntoIterator<Item = RawDocumentBuf>) -> RawArrayBuf {
    documents.into_iter().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn inserting_twice_changes_nothing_and_other_duplicates_are_errors() {
    let destination = server().await;
    let namespace: Namespace = "shop.orders".parse().expect("valid");
    let documents =
        |from: i32| array((from..from + 10).map(|n| rawdoc! {"_id": n, "email": format!("{n}@example.net")}));
    let insert = async |documents: &RawArrayBuf| insert_raw(&destination.cluster, &namespace, documents).await;

    let first = insert(&documents(0)).await.expect("inserts").into_inner();
    assert_eq!((first.inserted, first.duplicates), (10, 0));
    let second = insert(&documents(5)).await.expect("inserts").into_inner();
    assert_eq!((second.inserted, second.duplicates), (5, 5));
    let many = array((0..20_000).map(|n| rawdoc! {"_id": n, "text": "x".repeat(50)}));
    insert(&many).await.expect("inserts");
    let repeated = insert(&many).await.expect("inserts").into_inner();
    assert_eq!((repeated.inserted, repeated.duplicates), (0, 20_000));
    let large = array((0..5).map(|n| rawdoc! {"_id": format!("large {n}"), "text": "x".repeat(7 * 1024 * 1024)}));
    assert_eq!(insert(&large).await.expect("inserts").into_inner().inserted, 5);

    let unique = doc! {"key": {"email": 1}, "name": "email_1", "unique": true, "sparse": true};
    destination.run("shop", doc! {"delete": "orders", "deletes": [{"q": {"_id": {"$gt": 9}}, "limit": 0}]}).await;
    destination.run("shop", doc! {"createIndexes": "orders", "indexes": [unique]}).await;
    let error = insert(&array([rawdoc! {"_id": "other", "email": "1@example.net"}])).await.expect_err("a duplicate");
    assert!(matches!(error, MongoError::DuplicateKey { .. }), "{error:?}");
    assert_eq!(error.retry(), Retry::AfterFix);
    destination.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_validator_does_not_hinder_what_the_source_holds() {
    let destination = server().await;
    destination.run("shop", doc! {"create": "orders", "validator": {"n": {"$gte": 0}}}).await;
    let namespace: Namespace = "shop.orders".parse().expect("valid");
    insert_raw(&destination.cluster, &namespace, &array([rawdoc! {"_id": 1, "n": -1}])).await.expect("inserts");
    assert_eq!(destination.count("shop", "orders").await, 1);
    destination.end().await;
}

/// Reads on from `resume` to the end: whether it was resumed, and how many documents came.
async fn read_on(server: &Server, range: &CopyRange, resume: &RawDocument) -> (bool, u64) {
    let apply_after = last_optimes(&server.cluster).await.expect("optimes").majority;
    let mut reader =
        RangeReader::open(&server.cluster, &request(range, apply_after, Some(resume))).await.expect("opens");
    let (resumed, mut count) = (reader.is_resumed(), 0);
    while let Some(batch) = reader.next().await.expect("reads") {
        count += batch.document_count();
    }
    (resumed, count)
}

/// GIVEN a range in storage order that was read in part WHEN it is opened where it stood THEN the rest follows, from 4.4 on; but all of it
/// once the last document read is deleted, or the server is another process.
async fn storage_order_goes_on(version: MongodVersion) {
    let set = ReplicaSet::builder().version(version).start().await.expect("a replica set");
    let mut source = of_set(set).await;
    source.run("shop", doc! {"create": "ring", "capped": true, "size": 1 << 20}).await;
    for collection in ["orders", "ring"] {
        source.insert("shop", collection, (0..300).map(|n| doc! {"_id": n}).collect()).await;
    }
    let mut points = Vec::new();
    for namespace in ["shop.orders", "shop.ring"] {
        let (uuid, _, _) = uuid_of(&source, namespace).await;
        let range = CopyRange { collection: uuid, number: 0, order: ReadOrder::Natural, lower: None, upper: None };
        let apply_after = last_optimes(&source.cluster).await.expect("optimes").majority;
        let mut reader = RangeReader::open(&source.cluster, &request(&range, apply_after, None)).await.expect("opens");
        let batch = reader.next().await.expect("reads").expect("a batch");
        let (read, resume) = (batch.document_count(), batch.resume_at().map(ToOwned::to_owned));
        let Some(resume) = resume else {
            assert_eq!(version, MongodVersion::V4_2_6);
            return source.end().await;
        };
        assert_eq!(read_on(&source, &range, &resume).await, (true, 300 - read), "{version}: {namespace}");
        points.push((range, resume, read));
    }
    let (orders, resume, read) = &points[0];
    let last = i64::try_from(*read).expect("is small") - 1;
    let delete =
        doc! {"delete": "orders", "deletes": [{"q": {"_id": last}, "limit": 1}], "writeConcern": {"w": "majority"}};
    source.run("shop", delete).await;
    assert_eq!(read_on(&source, orders, resume).await, (false, 299), "{version}");

    source.set.kill(0);
    source.set.restart(0).await.expect("comes back");
    // The connections that broke are noticed by using them.
    while last_optimes(&source.cluster).await.is_err() {}
    let (ring, resume, _) = &points[1];
    assert_eq!(read_on(&source, ring, resume).await, (false, 300), "{version}");
    source.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_range_in_storage_order_goes_on_with_the_same_process() {
    for version in MongodVersion::ALL {
        storage_order_goes_on(version).await;
    }
}
