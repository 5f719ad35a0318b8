use bson::doc;
use mongoferry_mongo::{Cluster, MongoError, append_note, choose_start_point, facts, identity, list_catalog};
use mongoferry_protocol::{Explain, Retry};
use mongoferry_testbed::ReplicaSet;

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_a_missing_role_and_a_dead_host_are_told_apart() {
    let set = ReplicaSet::builder().auth().start().await.expect("a replica set");
    set.create_user("reader", doc! {"pwd": "s3cret", "roles": ["readAnyDatabase"]}).await.expect("a user");
    let source_roles = doc! {"pwd": "s3cret", "roles": ["backup", "readAnyDatabase", "clusterMonitor"]};
    set.create_user("migrator", source_roles).await.expect("a user");

    let error = Cluster::connect(&set.uri_for("reader", "wr0ng"), "test").await.expect_err("refused");
    assert!(matches!(error, MongoError::AuthenticationRefused { .. }), "{error:?}");
    // A password that was changed in the middle of a migration is waited for.
    assert_eq!(error.retry(), Retry::Soon);
    let shown = format!("{error:?} {error} {}", error.hint());
    assert!(!shown.contains("wr0ng"), "{shown}");

    let reader = Cluster::connect(&set.uri_for("reader", "s3cret"), "test").await.expect("connects");
    assert!(!format!("{reader:?} {}", reader.hosts_label()).contains("s3cret"));
    assert!(reader.hosts_label().starts_with("rs/127.0.0.1:"));
    let error = choose_start_point(&reader).await.expect_err("may not read local");
    assert!(matches!(&error, MongoError::Unauthorized { what, .. } if what.contains("local.oplog.rs")), "{error:?}");
    assert_eq!(append_note(&reader, doc! {"note": 1}).await.expect("asks"), None);
    assert!(facts(&reader).await.is_ok() && list_catalog(&reader).await.is_ok());
    assert_eq!(identity(&reader).await.expect("asks").replica_set_id, None);

    let migrator = Cluster::connect(&set.uri_for("migrator", "s3cret"), "test").await.expect("connects");
    assert!(choose_start_point(&migrator).await.is_ok());
    assert!(append_note(&migrator, doc! {"note": 1}).await.expect("asks").is_some());
    assert!(identity(&migrator).await.expect("asks").replica_set_id.is_some());
    let error = migrator.command("shop", doc! {"insert": "c", "documents": [{}]}).await.expect_err("may not");
    assert!(matches!(&error, MongoError::Unauthorized { what, .. } if what == "insert on shop.c"), "{error:?}");
    reader.shutdown().await;
    migrator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreachable_cluster_is_named() {
    let uri = "mongodb://u:s3cret@127.0.0.1:1/?replicaSet=rs&serverSelectionTimeoutMS=300";
    let error = Cluster::connect(uri, "test").await.expect_err("nobody listens");
    assert!(matches!(error, MongoError::Unreachable { .. }), "{error:?}");
    assert_eq!(error.retry(), Retry::Soon);
    let shown = format!("{error} {error:?} {}", error.hint());
    assert!(shown.contains("rs/127.0.0.1:1") && !shown.contains("s3cret"), "{shown}");
    let error = Cluster::connect("mongodb://127.0.0.1:70000", "test").await.expect_err("no port");
    assert!(matches!(error, MongoError::MalformedUri { .. }), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_election_is_outlasted_by_trying_again() {
    let mut set = ReplicaSet::builder().members(3).start().await.expect("a replica set");
    let cluster = Cluster::connect(&set.uri(), "test").await.expect("connects");
    let insert = || async {
        let insert = doc! {"insert": "c", "documents": [{}], "writeConcern": {"w": "majority"}};
        cluster.command("shop", insert).await
    };
    insert().await.expect("inserts");
    let primary = set.primary_index().await.expect("a primary");
    set.kill(primary);
    while let Err(error) = insert().await {
        assert_eq!(error.retry(), Retry::Soon, "{error:?}");
    }
    cluster.shutdown().await;
}
