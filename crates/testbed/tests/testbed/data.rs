//! GIVEN two sets filled alike WHEN nothing differs, or one byte does THEN the comparison says just that.

use bson::{Document, doc};
use mongoferry_testbed::{MongodVersion, ReplicaSet, SeedSize, assert_equal, differences, seed};

#[tokio::test]
async fn equal_seeds_are_equal_until_one_byte_changes() {
    let (one, other) =
        tokio::join!(ReplicaSet::single(), ReplicaSet::builder().version(MongodVersion::V6_0_27).start());
    let (one_set, other_set) = (one.unwrap(), other.unwrap());
    let (one, other) = (one_set.client().await.unwrap(), other_set.client().await.unwrap());
    let size = SeedSize { mib: 20 };
    let (summary, same) = tokio::join!(seed::fill(&one, size), seed::fill(&other, size));
    let summary = summary.unwrap();
    assert_eq!(summary, same.unwrap());
    assert!((15..25).contains(&(summary.bytes >> 20)), "{summary:?}");
    assert_eq!(summary.collections, 8);
    assert_equal(&one, &other).await;

    let orders = other.database("shop").collection::<Document>("orders");
    orders.update_one(doc! { "number": 77_i64 }, doc! { "$bit": { "number": { "xor": 1_i64 } } }).await.unwrap();
    let found = differences(&one, &other).await.unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("shop.orders { \"_id\": ObjectId("), "{found:?}");

    let stores = other.database("shop").collection::<Document>("stores");
    stores.delete_one(doc! { "_id": 3 }).await.unwrap();
    stores.insert_one(doc! { "_id": 3.5 }).await.unwrap();
    stores.drop_index("location_2dsphere").await.unwrap();
    other.database("extra").create_collection("empty").await.unwrap();
    other.database("shop").run_command(doc! { "collMod": "products", "validationAction": "warn" }).await.unwrap();
    let found = differences(&one, &other).await.unwrap();
    assert_eq!(found.len(), 6, "{found:#?}");
}
