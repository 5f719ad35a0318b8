//! Pairs of clusters, fine and not.

use bson::{Document, doc};
use mongoferry_protocol::{Severity, ValidationReport};
use mongoferry_testbed::{MongodVersion, ReplicaSet};

use crate::outcome::{Outcome, only_error, passed, troubles, troubles_of};

async fn two() -> (ReplicaSet, ReplicaSet) {
    tokio::try_join!(ReplicaSet::single(), ReplicaSet::single()).expect("two replica sets")
}

async fn fill(set: &ReplicaSet) {
    let shop = set.client().await.expect("a client").database("shop");
    shop.collection("orders").insert_many((0..50).map(|n| doc! {"_id": n})).await.expect("inserted");
    shop.run_command(doc! {"createIndexes": "orders", "indexes": [{"key": {"a": 1}, "name": "a"}]})
        .await
        .expect("built");
    shop.run_command(doc! {"create": "recent", "viewOn": "orders", "pipeline": []}).await.expect("created");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_healthy_pair_passes_and_stays_untouched() {
    let (source, destination) = two().await;
    fill(&source).await;
    let (code, report) = Outcome::json(&source.uri(), &destination.uri()).await;
    assert_eq!(code, 0, "{:#?}", troubles(&report));
    assert_eq!((report.collections, report.documents, report.indexes), (1, 50, 2));
    assert!(report.bytes > 0);
    assert_eq!(report.source.as_ref().expect("reached").version, source.version().to_string());
    let codes: Vec<&str> = report.findings.iter().map(|finding| finding.code.as_str()).collect();
    for code in (1..=26).filter(|code| !matches!(code, 4 | 21)).map(|code| format!("{code:02}")) {
        assert!(codes.contains(&format!("MF-V{code}").as_str()), "MF-V{code} is missing: {codes:?}");
    }
    let databases = destination.client().await.expect("a client").list_database_names().await.expect("listed");
    assert!(!databases.iter().any(|name| name == "shop" || name == "mongoferry"), "{databases:?}");

    let table = Outcome::of(&source.uri(), &destination.uri(), &[]).await;
    assert_eq!(table.code, 0);
    assert!(table.stdout.contains("the migration may begin: 0 errors,"), "{}", table.stdout);
    assert!(!table.stdout.contains('\x1b'), "colour without a terminal");
}

#[tokio::test(flavor = "multi_thread")]
async fn namespaces_on_both_sides_are_listed() {
    let (source, destination) = two().await;
    fill(&source).await;
    fill(&destination).await;
    let other = destination.client().await.expect("a client").database("other");
    other.create_collection("alone").await.expect("created");
    let (code, report) = Outcome::json(&source.uri(), &destination.uri()).await;
    assert_eq!(code, 3);
    let error = only_error(&report);
    assert_eq!(error.code, "MF-V14");
    assert!(error.found.contains("shop.orders, shop.recent"), "{error:#?}");
    let warning =
        troubles(&report).into_iter().find(|finding| finding.severity == Severity::Warning && finding.code == "MF-V14");
    assert!(warning.expect("a warning").found.contains("other.alone"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_in_the_way_may_be_dropped_by_whoever_types_the_name() {
    let (source, destination) = two().await;
    fill(&source).await;
    fill(&destination).await;
    let drop = |name: &'static str| {
        let (source, destination) = (source.uri(), destination.uri());
        async move {
            let outcome =
                Outcome::of(&source, &destination, &["--drop", "--confirm-destination", name, "--format=json"]).await;
            let report: ValidationReport = serde_json::from_str(&outcome.stdout).expect("a report");
            (outcome.code, report)
        }
    };
    let (code, report) = drop("rs").await;
    assert_eq!(code, 0, "{:#?}", troubles(&report));
    assert_eq!(report.to_drop.len(), 2);
    assert_eq!((report.to_drop[0].namespace.to_string().as_str(), report.to_drop[0].documents), ("shop.orders", 50));
    assert!(report.to_drop[0].uuid.is_some() && report.to_drop[0].disk_bytes > 0 && report.to_drop[1].uuid.is_none());
    let warnings = troubles_of(&report, "MF-V14");
    assert!(warnings.len() == 1 && warnings[0].found.contains("to be dropped"), "{warnings:#?}");

    let (code, report) = drop("production").await;
    let errors: Vec<_> = report.errors().collect();
    assert_eq!((code, errors.len(), report.to_drop.len()), (3, 2, 0), "{errors:#?}");
    assert!(errors.iter().any(|error| error.remedy.contains("--confirm-destination rs")), "{errors:#?}");
    for lonely in [&["--drop"][..], &["--confirm-destination", "rs"]] {
        let outcome = Outcome::of(&source.uri(), &destination.uri(), lonely).await;
        assert!(outcome.code == 2 && outcome.stderr.contains("MF-ARGS"), "{}", outcome.stderr);
    }
    let shop = destination.client().await.expect("a client").database("shop");
    assert_eq!(shop.list_collection_names().await.expect("listed").len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_is_not_migrated_into_itself() {
    let set = ReplicaSet::single().await.expect("a replica set");
    let (code, report) = Outcome::json(&set.uri(), &set.uri()).await;
    assert_eq!((code, only_error(&report).code.as_str()), (3, "MF-V10"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standalone_source_is_told_how_to_become_a_replica_set() {
    let (standalone, destination) =
        tokio::try_join!(ReplicaSet::builder().standalone(), ReplicaSet::single()).expect("two servers");
    let by_set_name = standalone.uri().replace("directConnection=true", "replicaSet=rs");
    let by_nothing = standalone.uri().replace("directConnection=true", "");
    for uri in [standalone.uri(), by_set_name, by_nothing] {
        let (code, report) = Outcome::json(&uri, &destination.uri()).await;
        let error = only_error(&report);
        assert_eq!((code, error.code.as_str()), (3, "MF-V07"), "{uri}");
        assert!(error.remedy.contains("rs.initiate()"), "{error:#?}");
        // The destination was checked all the same.
        assert!(report.findings.iter().any(|finding| finding.code == "MF-V08"), "{report:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_set_of_another_name_is_named() {
    let (source, destination) = two().await;
    let uri = source.uri().replace("replicaSet=rs", "replicaSet=production");
    let (code, report) = Outcome::json(&uri, &destination.uri()).await;
    let error = only_error(&report);
    assert_eq!((code, error.code.as_str()), (3, "MF-V02"));
    assert!(error.remedy.contains("replicaSet=rs "), "{error:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_destination_is_refused() {
    let (source, destination) = tokio::try_join!(
        ReplicaSet::builder().version(MongodVersion::V6_0_5).start(),
        ReplicaSet::builder().version(MongodVersion::V5_0_4).auth().start(),
    )
    .expect("two replica sets");
    let roles = ["readWriteAnyDatabase", "dbAdminAnyDatabase", "clusterMonitor"];
    destination.create_user("writer", doc! {"pwd": "wr1ter", "roles": roles.to_vec()}).await.expect("created");
    let (code, report) = Outcome::json(&source.uri(), &destination.uri_for("writer", "wr1ter")).await;
    let error = only_error(&report);
    assert_eq!((code, error.code.as_str(), error.check.as_str()), (3, "MF-V09", "versions fit each other"));
    let stage = report.findings.iter().find(|finding| finding.check == "destination: replays the oplog's updates");
    assert!(
        stage.is_some_and(|finding| finding.found.contains("5.0.4: by operators where whole fields")),
        "{stage:#?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_oldest_supported_source_passes() {
    let (source, destination) =
        tokio::try_join!(ReplicaSet::builder().version(MongodVersion::V4_2_6).start(), ReplicaSet::single())
            .expect("two replica sets");
    fill(&source).await;
    let (code, report) = Outcome::json(&source.uri(), &destination.uri()).await;
    assert_eq!(code, 0, "{:#?}", troubles(&report));
    assert_eq!((report.collections, report.documents), (1, 50));
}

#[tokio::test(flavor = "multi_thread")]
async fn kinds_are_counted_and_refused_by_name_where_the_destination_lacks_them() {
    let five = || ReplicaSet::builder().version(MongodVersion::V5_0_4).start();
    let four = ReplicaSet::builder().version(MongodVersion::V4_4_2).start();
    let (source, destination, older) = tokio::try_join!(five(), five(), four).expect("replica sets");
    let shop = source.client().await.expect("a client").database("shop");
    let kinds: [Document; 3] = [
        doc! {"create": "log", "capped": true, "size": 4096},
        doc! {"create": "measurements", "timeseries": {"timeField": "t"}},
        doc! {"create": "names", "collation": {"locale": "de"}},
    ];
    for create in kinds {
        shop.run_command(create).await.expect("created");
    }
    let (code, report) = Outcome::json(&source.uri(), &destination.uri()).await;
    assert_eq!(code, 0, "{:#?}", troubles(&report));
    let counts = passed(&report, "MF-V18");
    for count in ["3 collections", "1 capped", "1 time-series", "1 with a default collation"] {
        assert!(counts.contains(count), "{counts}");
    }
    let (code, report) = Outcome::json(&source.uri(), &older.uri()).await;
    let errors = troubles_of(&report, "MF-V18");
    assert_eq!((code, errors.len()), (3, 1), "{report:#?}");
    assert!(errors[0].found.contains("shop.measurements is a time-series"), "{errors:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_migrations_marker_is_respected() {
    let (source, destination) = two().await;
    let own = destination.client().await.expect("a client").database("mongoferry");
    own.collection("marker").insert_one(doc! {"_id": "migration", "id": "older"}).await.expect("inserted");
    let (code, report) = Outcome::json(&source.uri(), &destination.uri()).await;
    let error = only_error(&report);
    assert_eq!((code, error.code.as_str()), (3, "MF-V26"));
    assert!(error.found.contains("older"), "{error:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standalone_destination_is_refused() {
    let (source, standalone) =
        tokio::try_join!(ReplicaSet::single(), ReplicaSet::builder().standalone()).expect("two servers");
    let (code, report) = Outcome::json(&source.uri(), &standalone.uri()).await;
    assert_eq!((code, only_error(&report).code.as_str()), (3, "MF-V08"), "{report:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_oplog_that_reaches_back_minutes_warns() {
    let (source, destination) =
        tokio::try_join!(ReplicaSet::builder().oplog_mib(1).start(), ReplicaSet::single()).expect("two replica sets");
    let shop = source.client().await.expect("a client").database("shop");
    let text = "x".repeat(100_000);
    shop.collection("orders").insert_many((0..30).map(|n| doc! {"_id": n, "text": &text})).await.expect("inserted");
    let (code, report) = Outcome::json(&source.uri(), &destination.uri()).await;
    assert_eq!(code, 0, "{:#?}", troubles(&report));
    let warnings = troubles_of(&report, "MF-V12");
    assert!(warnings.len() == 1 && warnings[0].remedy.contains("replSetResizeOplog"), "{report:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_report_is_documented() {
    let (source, destination) = two().await;
    fill(&source).await;
    fill(&destination).await;
    let arguments = ["--format", "json", "--drop", "--confirm-destination", "rs"];
    let outcome = Outcome::of(&source.uri(), &destination.uri(), &arguments).await;
    let report: serde_json::Value = serde_json::from_str(&outcome.stdout).expect("a report");
    let text = include_str!("../../REPORT.md");
    for key in keys(&report) {
        assert!(text.contains(&format!("`{key}`")), "{key} is not documented");
    }
}

fn keys(value: &serde_json::Value) -> Vec<String> {
    match value {
        serde_json::Value::Object(fields) => {
            fields.iter().flat_map(|(key, value)| [vec![key.clone()], keys(value)].concat()).collect()
        }
        serde_json::Value::Array(values) => values.iter().flat_map(keys).collect(),
        _ => Vec::new(),
    }
}
