//! What the source holds: indexes, kinds, names, and the inventory of it all.

use bson::{Document, doc};
use mongoferry_protocol::Severity;
use mongoferry_testbed::{MongodVersion, ReplicaSet};

use crate::outcome::{Outcome, only_error, passed, troubles, troubles_of};

async fn run(set: &ReplicaSet, database: &str, commands: impl IntoIterator<Item = Document>) {
    let database = set.client().await.expect("a client").database(database);
    for command in commands {
        database.run_command(command.clone()).await.unwrap_or_else(|error| panic!("{command}: {error}"));
    }
}

fn index(collection: &str, index: Document) -> Document {
    doc! {"createIndexes": collection, "indexes": [index]}
}

#[tokio::test(flavor = "multi_thread")]
async fn indexes_that_newer_servers_lack() {
    let (source, destination) =
        tokio::try_join!(ReplicaSet::builder().version(MongodVersion::V4_2_6).start(), ReplicaSet::single())
            .expect("two replica sets");
    run(
        &source,
        "shop",
        [
            index("places", doc! {"key": {"at": "2dsphere"}, "name": "at"}),
            index("places", doc! {"key": {"seen": 1}, "name": "seen", "expireAfterSeconds": 60}),
        ],
    )
    .await;
    let (code, report) = Outcome::json(&source.uri(), &destination.uri()).await;
    assert_eq!(code, 0, "{:#?}", troubles(&report));
    assert_eq!(passed(&report, "MF-V15"), "all 3");
    assert!(passed(&report, "MF-V16").starts_with("1 in 1"), "{report:#?}");

    let haystack = doc! {"key": {"at": "geoHaystack", "kind": 1}, "name": "haystack", "bucketSize": 1};
    run(&source, "shop", [index("places", haystack)]).await;
    let (code, report) = Outcome::json(&source.uri(), &destination.uri()).await;
    let error = only_error(&report);
    assert_eq!((code, error.code.as_str()), (3, "MF-V15"));
    let drop = "db.getSiblingDB(\"shop\").getCollection(\"places\").dropIndex(\"haystack\")";
    assert!(error.remedy.contains(drop) && error.found.contains("geoHaystack"), "{error:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn collections_that_belong_to_their_server() {
    let (source, destination) = tokio::try_join!(ReplicaSet::single(), ReplicaSet::single()).expect("two replica sets");
    run(
        &source,
        "shop",
        [
            doc! {"insert": "orders", "documents": [{"_id": 1}]},
            doc! {"profile": 2},
            doc! {"find": "orders"},
            doc! {"profile": 0},
            doc! {"create": "checked", "validator": {"a": {"$exists": true}}},
            doc! {"insert": "files.chunks", "documents": [{"_id": 1}]},
        ],
    )
    .await;
    let (code, report) = Outcome::json(&source.uri(), &destination.uri()).await;
    assert_eq!(code, 0, "{:#?}", troubles(&report));
    assert!(passed(&report, "MF-V17").contains("1 of the profiler"), "{report:#?}");
    let kinds = passed(&report, "MF-V18");
    assert!(
        kinds.contains("3 collections") && kinds.contains("1 with a validator") && kinds.contains("GridFS"),
        "{kinds}"
    );
    let inventory = report.inventory.expect("taken");
    assert_eq!((inventory.databases.len(), inventory.collections.len()), (1, 3));
    assert_eq!((inventory.databases[0].documents, inventory.databases[0].indexes), (2, 3));
    assert!(inventory.estimates.copy_seconds > 0 && inventory.estimates.destination_disk_bytes.is_some());
    assert_eq!(inventory.not_copied.profiler_collections, 1);
    assert_eq!((inventory.not_copied.users, inventory.not_copied.search_indexes), (Some(0), Some(0)));

    run(
        &source,
        "shop",
        [doc! {"insert": "system.js", "documents": [{"_id": "f", "value": 1}]}, doc! {"create": "enxcol_.cards.esc"}],
    )
    .await;
    let (code, report) = Outcome::json(&source.uri(), &destination.uri()).await;
    let error = only_error(&report);
    assert_eq!((code, error.code.as_str()), (3, "MF-V17"));
    assert!(!error.found.contains("system.js"), "{error:#?}");
    assert!(error.found.contains("shop.enxcol_.cards.esc holds the state of Queryable Encryption"), "{error:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn leftovers_of_aggregations_are_named() {
    let (source, destination) =
        tokio::try_join!(ReplicaSet::builder().version(MongodVersion::V4_2_6).start(), ReplicaSet::single())
            .expect("two replica sets");
    let temporary = doc! {"op": "c", "ns": "shop.$cmd", "o": {
        "create": "tmp.agg_out.1", "temp": true,
        "idIndex": {"v": 2, "key": {"_id": 1}, "name": "_id_", "ns": "shop.tmp.agg_out.1"},
    }};
    run(&source, "admin", [doc! {"applyOps": [temporary]}]).await;
    let (code, report) = Outcome::json(&source.uri(), &destination.uri()).await;
    assert_eq!(code, 0, "{:#?}", troubles(&report));
    let warnings = troubles_of(&report, "MF-V17");
    assert!(warnings.len() == 1 && warnings[0].found.contains("shop.tmp.agg_out.1"), "{warnings:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn unusual_field_names_towards_an_older_destination() {
    let old = || ReplicaSet::builder().version(MongodVersion::V4_4_2).start();
    let (source, destination) = tokio::try_join!(old(), old()).expect("two replica sets");
    run(&source, "shop", [doc! {"insert": "orders", "documents": [{"_id": 1, "price.net": 1}]}]).await;
    let (code, report) = Outcome::json(&source.uri(), &destination.uri()).await;
    let warnings = troubles_of(&report, "MF-V19");
    assert!(warnings.len() == 1 && warnings[0].severity == Severity::Warning, "{report:#?}");
    assert!(warnings[0].found.contains("\"price.net\" in shop.orders _id 1"), "{warnings:#?}");
    assert_eq!(code, 0, "{report:#?}");

    let (source, destination) = tokio::try_join!(old(), ReplicaSet::single()).expect("two replica sets");
    let (code, report) = Outcome::json(&source.uri(), &destination.uri()).await;
    assert_eq!(code, 0, "{:#?}", troubles(&report));
    assert!(passed(&report, "MF-V19").contains("takes them all"), "{report:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_holds_back_fits_an_older_destination() {
    for (source, fcv, destination) in
        [(MongodVersion::V5_0_4, "4.4", MongodVersion::V4_4_2), (MongodVersion::V4_4_2, "4.2", MongodVersion::V4_2_6)]
    {
        let (source, destination) = tokio::try_join!(
            ReplicaSet::builder().version(source).start(),
            ReplicaSet::builder().version(destination).start(),
        )
        .expect("two replica sets");
        run(&source, "admin", [doc! {"setFeatureCompatibilityVersion": fcv}]).await;
        let (code, report) = Outcome::json(&source.uri(), &destination.uri()).await;
        assert_eq!(code, 0, "{:#?}", troubles(&report));
        let found = passed(&report, "MF-V09");
        assert!(found.contains(&format!("feature compatibility version is {fcv}")), "{found}");
        assert!(found.contains("by operators and pipelines"), "{found}");
    }
}
