use bson::doc;
use mongoferry_mongo::{CollectionKind, create_collection, facts, identity, list_catalog, list_metadata, name_of};

use crate::server;

#[tokio::test(flavor = "multi_thread")]
async fn the_listing_has_users_collections_with_their_details_and_views_apart() {
    let source = server().await;
    source.run("shop", doc! {"create": "orders", "validator": {"n": {"$gte": 0}}}).await;
    source.insert("shop", "orders", (0..10).map(|n| doc! {"_id": n, "n": n}).collect()).await;
    let index = doc! {"key": {"n": 1}, "name": "n_1", "unique": true};
    source.run("shop", doc! {"createIndexes": "orders", "indexes": [index]}).await;
    source.run("shop", doc! {"create": "cheap", "viewOn": "orders", "pipeline": [{"$match": {"n": {"$lt": 3}}}]}).await;
    source.run("shop", doc! {"create": "weather", "timeseries": {"timeField": "at"}}).await;
    source.insert("mongoferry", "lanes", vec![doc! {"_id": 1}]).await;

    let listing = list_catalog(&source.cluster).await.expect("lists");

    let names: Vec<String> = listing.collections.iter().map(|info| info.namespace.to_string()).collect();
    assert_eq!(names, ["shop.orders"]);
    let orders = &listing.collections[0];
    assert_eq!((orders.kind, orders.document_count, orders.indexes.len()), (CollectionKind::Collection, 10, 2));
    assert!(orders.size_bytes > 0);
    assert_eq!(orders.indexes[0].get_str("name").expect("a name"), "_id_");
    assert_eq!(listing.views[0].namespace.to_string(), "shop.cheap");
    assert_eq!(listing.time_series[0].namespace.to_string(), "shop.weather");
    assert_eq!(listing.views.len() + listing.time_series.len(), 2);

    let light = list_metadata(&source.cluster).await.expect("lists");
    assert_eq!((light.collections[0].size_bytes, &light.collections[0].indexes), (0, &orders.indexes));

    let uuid = orders.uuid.expect("a UUID");
    source.run("admin", doc! {"renameCollection": "shop.orders", "to": "shop.orders2"}).await;
    let name = name_of(&source.cluster, "shop", uuid).await.expect("lists").expect("stands");
    assert_eq!(name.to_string(), "shop.orders2");
    source.run("shop", doc! {"drop": "orders2"}).await;
    assert_eq!(name_of(&source.cluster, "shop", uuid).await.expect("lists"), None);
    source.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_collections_are_listed_in_reasonable_time() {
    let source = server().await;
    for n in 0..400 {
        source.run("many", doc! {"create": format!("c{n:04}")}).await;
    }
    let listing = list_catalog(&source.cluster).await.expect("lists");
    assert_eq!(listing.collections.len(), 400);
    source.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collection_is_created_as_on_the_source_and_only_over_an_equal_one() {
    let destination = server().await;
    let version = facts(&destination.cluster).await.expect("facts").version;
    let namespace = "shop.orders".parse().expect("valid");
    let options = bson::rawdoc! {"validator": {"n": {"$gte": 0}}, "validationLevel": "moderate", "temp": true};
    for _ in 0..2 {
        create_collection(&destination.cluster, version, &namespace, &options).await.expect("creates");
    }
    let listed = list_metadata(&destination.cluster).await.expect("lists");
    assert_eq!(
        bson::Document::try_from(listed.collections[0].options.as_ref()).expect("valid"),
        doc! {"validator": {"n": {"$gte": 0}}, "validationLevel": "moderate"}
    );
    // With what the server listed, too.
    create_collection(&destination.cluster, version, &namespace, &listed.collections[0].options).await.expect("equal");
    let other = bson::rawdoc! {"validator": {"n": 1}};
    let error = create_collection(&destination.cluster, version, &namespace, &other).await.expect_err("differs");
    assert!(error.to_string().contains("shop.orders"), "{error}");
    destination.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_says_who_it_is() {
    let server = server().await;
    let identity = identity(&server.cluster).await.expect("identity");
    assert_eq!(identity.replica_set, "rs");
    assert_eq!(identity.replica_set_id.map(|id| id.len()), Some(24));
    assert_eq!(identity.hosts, [format!("127.0.0.1:{}", server.set.member_port(0))]);
    let facts = facts(&server.cluster).await.expect("facts");
    assert!(facts.writable && facts.fcv.is_some() && facts.storage_engine.as_deref() == Some("wiredTiger"));
    server.end().await;
}
