//! What waits for the cutover on servers that can't give it to a standing index: expiry and uniqueness.

use bson::{DateTime, Document, doc};
use mongoferry_mongo::{Fenced, build_indexes, create_collection, facts, finalize, list_indexes};
use mongoferry_mongo::{prepare_finalization, revert_preparation};
use mongoferry_protocol::Namespace;
use mongoferry_testbed::{MongodVersion, ReplicaSet};

use crate::{Server, of_set};

const OLDER: [MongodVersion; 3] = [MongodVersion::V4_2_6, MongodVersion::V4_4_2, MongodVersion::V5_0_4];

async fn pair(version: MongodVersion) -> (Server, Server) {
    // The source keeps what is too old, as one does whose documents were written a moment ago.
    let source = ReplicaSet::builder().version(version).parameter("ttlMonitorEnabled=false");
    let destination = ReplicaSet::builder().version(version).parameter("ttlMonitorSleepSecs=1");
    let (source, destination) = tokio::join!(source.start(), destination.start());
    (of_set(source.expect("a replica set")).await, of_set(destination.expect("a replica set")).await)
}

async fn expiry_passes(server: &Server) -> i64 {
    let status = server.run("admin", doc! {"serverStatus": 1}).await;
    status.get_document("metrics").and_then(|metrics| metrics.get_document("ttl")?.get_i64("passes")).expect("counts")
}

async fn whole_pass(server: &Server) {
    // The one that is under way may have begun before.
    let enough = expiry_passes(server).await + 2;
    while expiry_passes(server).await < enough {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}

async fn indexes(server: &Server, namespace: &Namespace) -> Vec<Document> {
    let listed = list_indexes(&server.cluster, namespace).await.expect("lists");
    let mut indexes: Vec<_> = listed.iter().map(|raw| Document::try_from(raw.as_ref()).expect("valid")).collect();
    // 4.2 names the namespace in each.
    indexes.iter_mut().for_each(|index| drop(index.remove("ns")));
    indexes
}

async fn with_indexes(
    version: MongodVersion,
    specs: &[Document],
    documents: &[Document],
) -> (Server, Server, Namespace) {
    let (source, destination) = pair(version).await;
    let namespace: Namespace = "shop.users".parse().expect("valid");
    source.insert("shop", "users", documents.to_vec()).await;
    source.run("shop", doc! {"createIndexes": "users", "indexes": specs.to_vec()}).await;
    let facts = facts(&destination.cluster).await.expect("facts");
    create_collection(&destination.cluster, facts.version, &namespace, &bson::rawdoc! {}).await.expect("creates");
    destination.insert("shop", "users", documents.to_vec()).await;
    let listed = list_indexes(&source.cluster, &namespace).await.expect("lists");
    build_indexes(Fenced::alone(&destination.cluster), &namespace, None, &listed).await.expect("builds");
    (source, destination, namespace)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_document_is_too_old_for_a_destination_before_6_0() {
    for version in OLDER {
        let year_one = DateTime::builder().year(1).month(1).day(1).build().expect("a date");
        let second_day = DateTime::from_millis(24 * 3600 * 1000);
        let documents = [
            doc! {"_id": 1, "at": second_day},
            doc! {"_id": 2, "at": year_one},
            doc! {"_id": 3, "at": DateTime::now()},
        ];
        let specs = [
            doc! {"key": {"a": 1}, "name": "a"},
            doc! {"key": {"at": 1}, "name": "at", "expireAfterSeconds": 100_000_000},
            doc! {"key": {"b": 1}, "name": "b"},
        ];
        let (source, destination, namespace) = with_indexes(version, &specs, &documents).await;
        whole_pass(&destination).await;
        assert_eq!(destination.count("shop", "users").await, 3, "{version}");
        prepare_finalization(&source.cluster, Fenced::alone(&destination.cluster)).await.expect("prepares");
        whole_pass(&destination).await;
        assert_eq!(destination.count("shop", "users").await, 3, "{version}");

        let finalized = finalize(&source.cluster, Fenced::alone(&destination.cluster)).await.expect("finalizes");
        assert_eq!(finalized.problems, Vec::<String>::new(), "{version}");
        assert_eq!(indexes(&destination, &namespace).await, indexes(&source, &namespace).await, "{version}");
        whole_pass(&destination).await;
        assert_eq!(destination.count("shop", "users").await, 1, "{version}: it expires what the source would");
        source.end().await;
        destination.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn conflicts_show_while_preparing_a_destination_before_6_0() {
    for version in OLDER {
        let documents: Vec<_> = (0..9).map(|n| doc! {"_id": n, "email": format!("{n}@example.net"), "n": n}).collect();
        let specs = [
            doc! {"key": {"email": 1}, "name": "email", "unique": true},
            doc! {"key": {"a": 1}, "name": "a"},
            doc! {"key": {"n": 1}, "name": "n", "unique": true, "expireAfterSeconds": 60},
        ];
        let (source, destination, namespace) = with_indexes(version, &specs, &documents).await;
        let twin = doc! {"insert": "users", "documents": [{"_id": "twin", "email": "3@example.net"}]};
        destination.run("shop", twin.clone()).await;

        let prepared =
            prepare_finalization(&source.cluster, Fenced::alone(&destination.cluster)).await.expect("prepares");
        let problem = prepared.problems.iter().find(|problem| problem.contains("index email ")).expect("a conflict");
        assert!(problem.contains("3@example.net"), "{problem}");
        assert_eq!(prepared.unbuilt, [], "{version}");
        let reverted = revert_preparation(&source.cluster, Fenced::alone(&destination.cluster)).await.expect("reverts");
        assert_eq!(reverted.len(), 1, "{version}: n was unique already; {reverted:?}");
        let standing = indexes(&destination, &namespace).await;
        assert!(standing.iter().all(|index| !index.contains_key("unique")), "{version}: {standing:?}");

        destination.run("shop", doc! {"delete": "users", "deletes": [{"q": {"_id": "twin"}, "limit": 1}]}).await;
        let prepared =
            prepare_finalization(&source.cluster, Fenced::alone(&destination.cluster)).await.expect("prepares");
        assert_eq!(prepared.problems, Vec::<String>::new(), "{version}");
        assert!(destination.run("shop", twin).await.contains_key("writeErrors"), "{version}: it is unique");
        let finalized = finalize(&source.cluster, Fenced::alone(&destination.cluster)).await.expect("finalizes");
        assert_eq!(finalized.problems, Vec::<String>::new(), "{version}");
        assert_eq!(indexes(&destination, &namespace).await, indexes(&source, &namespace).await, "{version}");
        source.end().await;
        destination.end().await;
    }
}
