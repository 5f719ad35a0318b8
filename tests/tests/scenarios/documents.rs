use bson::{RawDocumentBuf, doc, rawdoc};
use mongodb::Client;
use mongoferry_protocol::Phase;
use mongoferry_tests::{
    Clusters, Migration,
    odd_values::{
        LARGEST_DOCUMENT, document_of, equal_numbers, int, odd_values, oddly_named_documents, raw, values_beside_ids,
        zero_timestamp,
    },
    raw_writes::{Writes, id_of},
};

/// GIVEN documents of every type, name and size a server stores WHEN they are copied, changed under way and changed again once
/// the destination has caught up THEN every byte is the same.
#[tokio::test(flavor = "multi_thread")]
async fn documents_of_every_kind_arrive_as_they_are() {
    let clusters = Clusters::start().await;
    let source = clusters.source_client().await;
    fill(&source, "copied").await;
    fill(&source, "changed").await;
    many_in_ranges(&source).await;
    let state = tempfile::tempdir().expect("a directory");
    let mut migration =
        Migration::between(&clusters, state.path()).environment("MONGOFERRY_COPIER_RANGE_MIB", "1").start();
    migration.wait_for("capture has begun", |status| status.captured_optime.is_some()).await;
    fill(&source, "captured").await;
    change(&source, "changed").await;
    change(&source, "captured").await;
    let ready = migration.wait_for("ready and idle", |status| status.phase == Phase::Ready && status.gap_closed).await;
    let ranges =
        ready.collections.iter().find(|collection| collection.namespace == "ranges.mixed").expect("was copied");
    assert!(ranges.ranges_total > 3, "{ranges:?}");

    fill(&source, "late").await;
    change(&source, "late").await;
    change(&source, "changed").await;
    migration.wait_for("all is applied", |status| status.gap_closed).await;
    migration.post("commit").await;
    migration.end_committed().await;
    clusters.assert_equal().await;
}

async fn fill(source: &Client, database: &str) {
    let to = |collection: &str| Writes::to(source, &format!("{database}.{collection}"));
    let values = [odd_values(), equal_numbers(), values_beside_ids()].concat();
    let values: Vec<RawDocumentBuf> = (0..).zip(&values).map(|(id, value)| value.as_value(id)).collect();
    to("values").insert(&values).await;
    let ids = odd_values().into_iter().filter(|value| value.may_be_id);
    to("ids").insert(&ids.map(|value| value.as_id(&[int("n", 1)])).collect::<Vec<_>>()).await;
    for (number, value) in (0..).zip(equal_numbers()) {
        to(&format!("equal numbers {number}")).insert(&[value.as_id(&[int("n", 1)])]).await;
    }
    to("names").insert(&oddly_named_documents()).await;
    let zeros = (0..600).map(|id| match id % 3 {
        0 => raw(&[int("_id", id), int("n", 0), zero_timestamp("at")]),
        1 => raw(&[int("_id", id), zero_timestamp("first"), int("n", 0), zero_timestamp("second")]),
        _ => raw(&[int("_id", id), int("n", 0)]),
    });
    to("zero timestamps").insert(&zeros.collect::<Vec<_>>()).await;
    to("large").insert(&large()).await;
}

/// Two exactly at the limit, and two that can still grow by a field.
fn large() -> Vec<RawDocumentBuf> {
    vec![
        document_of(1, LARGEST_DOCUMENT, &[]),
        document_of(2, LARGEST_DOCUMENT, &[zero_timestamp("at")]),
        document_of(3, LARGEST_DOCUMENT - 100, &[int("n", 1)]),
    ]
}

/// Some MiB under `_id`s of every type, in no order.
async fn many_in_ranges(source: &Client) {
    let odd = odd_values().into_iter().filter(|value| value.may_be_id).map(|value| value.as_id(&[int("n", 1)]));
    let text = "x".repeat(900);
    let regular = (0..6_000_i64).map(|n| match n % 6 {
        0 => rawdoc! {"_id": bson::oid::ObjectId::new(), "text": &*text},
        1 => rawdoc! {"_id": n + 10, "text": &*text},
        2 => rawdoc! {"_id": n as f64 + 0.25, "text": &*text},
        3 => rawdoc! {"_id": format!("id {n}"), "text": &*text},
        4 => rawdoc! {"_id": {"tenant": n % 7, "n": n}, "text": &*text},
        _ => rawdoc! {"_id": bson::DateTime::from_millis(n * 1_000 + 7), "text": &*text},
    });
    Writes::to(source, "ranges.mixed").insert(&odd.chain(regular).collect::<Vec<_>>()).await;
}

/// Every form of change to documents that `fill` has made; may be done again.
async fn change(source: &Client, database: &str) {
    let to = |collection: &str| Writes::to(source, &format!("{database}.{collection}"));
    change_values(&to("values")).await;
    let ids = odd_values().into_iter().filter(|value| value.may_be_id);
    change_ids(&to("ids"), ids.map(|value| value.as_id(&[int("n", 1)])).collect()).await;
    for number in 0..equal_numbers().len() {
        trade_equal_numbers(&to(&format!("equal numbers {number}")), number).await;
    }
    change_names(&to("names")).await;
    to("zero timestamps").update_all(doc! {"$inc": {"n": 1}}).await;
    to("zero timestamps").put(&raw(&[int("_id", 7)]), &raw(&[int("_id", 7), zero_timestamp("again")]), true).await;
    change_large(&to("large")).await;
}

/// Each document gets, by an operator, a replacement and pipelines, what the next one holds.
async fn change_values(values: &Writes) {
    let odd = [odd_values(), equal_numbers(), values_beside_ids()].concat();
    for (id, value) in (0..).zip(odd.iter().cycle().skip(1).take(odd.len())) {
        let key = raw(&[int("_id", id)]);
        let set = raw(&[value.named("value"), value.named("added")]);
        match id % 4 {
            0 => values.update(&key, rawdoc! {"$set": set, "$unset": {"nested.value": 1}}).await,
            1 => values.put(&key, &value.as_value(id), false).await,
            2 => {
                values
                    .pipeline(
                        &key,
                        vec![doc! {"$set": {"list": {"$concatArrays": ["$list", [1]]}, "value": "$$REMOVE"}}],
                    )
                    .await
            }
            _ => {
                values.update(&key, rawdoc! {"$set": {"list.3": set}}).await;
                values.update(&key, rawdoc! {"$rename": {"value": "renamed"}}).await;
                values.update(&key, rawdoc! {"$rename": {"renamed": "value"}}).await;
            }
        }
    }
}

async fn change_ids(ids: &Writes, documents: Vec<RawDocumentBuf>) {
    for (number, document) in documents.iter().enumerate() {
        let id = id_of(document);
        ids.update(&id, rawdoc! {"$inc": {"n": 1}}).await;
        match number % 4 {
            0 => ids.replace(&id, document).await,
            1 => ids.delete(&id).await,
            2 => {
                ids.delete(&id).await;
                ids.insert(std::slice::from_ref(document)).await;
            }
            _ => ids.update(&id, rawdoc! {"$set": {"m": 5}}).await,
        }
    }
    for document in documents.iter().skip(1).step_by(4) {
        ids.insert(std::slice::from_ref(document)).await;
    }
}

/// The one document of the collection becomes one whose `_id` equals its own and is of another type, several times.
async fn trade_equal_numbers(numbers: &Writes, first: usize) {
    let documents: Vec<RawDocumentBuf> = equal_numbers().iter().map(|value| value.as_id(&[int("n", 1)])).collect();
    for step in 0..4 {
        let old = &documents[(first + step) % documents.len()];
        let new = &documents[(first + step + 1) % documents.len()];
        numbers.delete(&id_of(old)).await;
        numbers.insert(std::slice::from_ref(new)).await;
        numbers.update(&id_of(old), rawdoc! {"$inc": {"n": 1}}).await;
    }
}

async fn change_names(names: &Writes) {
    let set = |field: &str, value: i32| {
        doc! {"$replaceWith": {"$setField": {"field": {"$literal": field}, "input": "$$ROOT", "value": value}}}
    };
    for (number, document) in (1..).zip(oddly_named_documents()) {
        let id = id_of(&document);
        names.update(&id, rawdoc! {"$inc": {"n": 1}}).await;
        names.pipeline(&id, vec![set("a.b", 70 + number), set("$set", 71)]).await;
        names.pipeline(&id, vec![set("$new", 72), set("", 73), set("other.$", number)]).await;
        let unset = doc! {"$unsetField": {"field": {"$literal": "a.b"}, "input": "$$ROOT"}};
        names.pipeline(&id, vec![doc! {"$replaceWith": unset}]).await;
        names.put(&id, &document, false).await;
        names.update(&id, rawdoc! {"$set": {"n": number, "plain.added": number}}).await;
        names.update(&id, rawdoc! {"$unset": {"n": 1}}).await;
    }
}

async fn change_large(large: &Writes) {
    let id = |id| raw(&[int("_id", id)]);
    // A replacement at the limit, and a delta that is nearly as large.
    let replacement = document_of(1, LARGEST_DOCUMENT, &[int("replaced", 1)]);
    large.replace(&id(1), &replacement).await;
    let data = replacement.get_binary("data").expect("holds data").bytes;
    let data = bson::Binary { subtype: bson::spec::BinarySubtype::Generic, bytes: data[..data.len() - 200].to_vec() };
    large.update(&id(3), rawdoc! {"$set": {"data": data}}).await;
    large.update(&id(3), rawdoc! {"$inc": {"n": 1}}).await;
    large.delete(&id(2)).await;
    large.insert(&[document_of(2, LARGEST_DOCUMENT, &[zero_timestamp("again")])]).await;
}
