use bson::{Document, doc};
use mongoferry_mongo::{
    BuildState, Fenced, build_indexes, create_collection, facts, finalize, index_build_progress, list_indexes,
    list_metadata, prepare_finalization, revert_preparation,
};
use mongoferry_protocol::Namespace;
use mongoferry_testbed::{MongodVersion, ReplicaSet};

use crate::{Server, of_set, server};

fn source_indexes() -> Vec<Document> {
    vec![
        doc! {"key": {"plain": 1, "other": -1}, "name": "plain"},
        doc! {"key": {"email": 1}, "name": "email", "unique": true},
        doc! {"key": {"at": 1}, "name": "at", "expireAfterSeconds": 3_600},
        doc! {"key": {"n": 1}, "name": "n", "unique": true, "partialFilterExpression": {"n": {"$gt": 5}}},
        doc! {"key": {"a": 1}, "name": "a sparse", "sparse": true},
        doc! {"key": {"title": "text", "body": "text"}, "name": "words", "weights": {"title": 3}, "default_language": "german"},
        doc! {"key": {"place": "2dsphere"}, "name": "place"},
        doc! {"key": {"point": "2d"}, "name": "point", "min": -10.0, "max": 10.0},
        doc! {"key": {"h": "hashed"}, "name": "hashed"},
        doc! {"key": {"secret": 1}, "name": "secret", "hidden": true},
        doc! {"key": {"all.$**": 1}, "name": "wild"},
        doc! {"key": {"name": 1}, "name": "name de", "collation": {"locale": "de", "strength": 2}},
        doc! {"key": {"email": 1}, "name": "email plain", "collation": {"locale": "de"}},
        doc! {"key": {"b": 1}, "name": "b unique", "unique": true, "hidden": true},
        doc! {"key": {"b": 1}, "name": "b plain", "sparse": true},
        doc! {"key": {"a": 1}, "name": "a unique", "unique": true},
        doc! {"key": {"a": 1}, "name": "a plain"},
    ]
}

async fn with_indexes() -> (Server, Server, Namespace) {
    let (source, destination) = (server().await, server().await);
    let namespace: Namespace = "shop.users".parse().expect("valid");
    let documents = || {
        (0..20).map(|n| {
            let place = doc! {"type": "Point", "coordinates": [n, n]};
            doc! {"_id": n, "email": format!("{n}@example.net"), "n": n, "a": n, "b": n, "place": place, "title": "wort"}
        })
    };
    source.insert("shop", "users", documents().collect()).await;
    source.run("shop", doc! {"createIndexes": "users", "indexes": source_indexes()}).await;
    let version = facts(&destination.cluster).await.expect("facts").version;
    create_collection(&destination.cluster, version, &namespace, &bson::rawdoc! {}).await.expect("creates");
    destination.insert("shop", "users", documents().collect()).await;
    (source, destination, namespace)
}

/// In the server's order.
async fn indexes(server: &Server, namespace: &Namespace) -> Vec<Document> {
    let listed = list_indexes(&server.cluster, namespace).await.expect("lists");
    listed.iter().map(|raw| Document::try_from(raw.as_ref()).expect("valid")).collect()
}

async fn build(source: &Server, destination: &Server, namespace: &Namespace) -> Vec<(String, BuildState)> {
    let specs = list_indexes(&source.cluster, namespace).await.expect("lists");
    let outcomes = build_indexes(Fenced::alone(&destination.cluster), namespace, None, &specs).await.expect("builds");
    outcomes.into_iter().map(|outcome| (outcome.name, outcome.state)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn built_then_finalized_the_indexes_are_the_sources() {
    let (source, destination, namespace) = with_indexes().await;
    let first = build(&source, &destination, &namespace).await;
    assert_eq!(build(&source, &destination, &namespace).await, first, "building again changes nothing");
    for (name, state) in &first {
        let deferred = name == "a plain";
        assert_eq!(matches!(state, BuildState::Deferred { .. }), deferred, "{name}: {state:?}");
        assert!(!matches!(state, BuildState::Failed { .. }), "{name}: {state:?}");
    }
    for index in indexes(&destination, &namespace).await {
        assert!(!index.contains_key("unique") && !index.contains_key("expireAfterSeconds"), "{index}");
    }

    let prepared = prepare_finalization(&source.cluster, Fenced::alone(&destination.cluster)).await.expect("prepares");
    assert_eq!((prepared.done.len(), prepared.problems), (4, vec![]));
    let finalized = finalize(&source.cluster, Fenced::alone(&destination.cluster)).await.expect("finalizes");
    assert_eq!(finalized.problems, Vec::<String>::new());
    assert_eq!(indexes(&destination, &namespace).await, indexes(&source, &namespace).await);
    let again = finalize(&source.cluster, Fenced::alone(&destination.cluster)).await.expect("finalizes");
    assert_eq!(again.done, Vec::<String>::new(), "finalizing again changes nothing");
    source.end().await;
    destination.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conflict_shows_while_preparing_and_preparing_can_be_taken_back() {
    let (source, destination, namespace) = with_indexes().await;
    build(&source, &destination, &namespace).await;
    let before = indexes(&destination, &namespace).await;
    destination.insert("shop", "users", vec![doc! {"_id": "twin", "email": "3@example.net"}]).await;

    let prepared = prepare_finalization(&source.cluster, Fenced::alone(&destination.cluster)).await.expect("prepares");
    let problem = prepared.problems.iter().find(|problem| problem.contains("index email ")).expect("a conflict");
    assert!(problem.contains("\"twin\"") && problem.contains('3'), "{problem}");
    let twin = doc! {"insert": "users", "documents": [{"_id": "second", "email": "4@example.net", "a": 90, "b": 90}]};
    assert!(destination.run("shop", twin.clone()).await.contains_key("writeErrors"));

    let reverted = revert_preparation(&source.cluster, Fenced::alone(&destination.cluster)).await.expect("reverts");
    assert_eq!(reverted.len(), 4, "{reverted:?}");
    assert_eq!(indexes(&destination, &namespace).await, before);
    assert!(!destination.run("shop", twin).await.contains_key("writeErrors"));

    let finalized = finalize(&source.cluster, Fenced::alone(&destination.cluster)).await.expect("finalizes");
    assert!(finalized.problems.iter().any(|problem| problem.contains("index email ")), "{:?}", finalized.problems);
    source.end().await;
    destination.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_that_cannot_be_built_does_not_hinder_the_others() {
    let (source, destination) = (server().await, server().await);
    let namespace: Namespace = "shop.users".parse().expect("valid");
    let specs = [doc! {"key": {"a": 1, "b": 1}, "name": "parallel"}, doc! {"key": {"c": 1}, "name": "fine"}];
    source.run("shop", doc! {"createIndexes": "users", "indexes": specs.to_vec()}).await;
    destination.insert("shop", "users", vec![doc! {"_id": 1, "a": [1, 2], "b": [3, 4]}]).await;
    let outcomes = build(&source, &destination, &namespace).await;
    assert!(matches!(&outcomes[0].1, BuildState::Failed { reason } if reason.contains("parallel")), "{outcomes:?}");
    assert_eq!(outcomes[1].1, BuildState::Built { held_back: None });
    source.end().await;
    destination.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn differences_of_every_kind_are_levelled_and_views_follow() {
    let (source, destination, namespace) = with_indexes().await;
    let wrong = [
        doc! {"key": {"email": 1}, "name": "email", "sparse": true},
        doc! {"key": {"n": 1}, "name": "n"},
        doc! {"key": {"at": 1}, "name": "at", "expireAfterSeconds": 9_999},
        doc! {"key": {"plain": 1, "other": -1}, "name": "plain", "hidden": true},
        doc! {"key": {"extra": 1}, "name": "extra"},
    ];
    destination.run("shop", doc! {"createIndexes": "users", "indexes": wrong.to_vec()}).await;
    let view = |on: &str| doc! {"create": "names", "viewOn": on, "pipeline": [{"$project": {"name": 1}}]};
    source.run("shop", view("users")).await;
    source.run("shop", doc! {"create": "second", "viewOn": "names", "pipeline": [{"$limit": 3}]}).await;
    source.run("shop", doc! {"create": "french", "viewOn": "users", "collation": {"locale": "fr"}}).await;
    destination.run("shop", view("others")).await;
    destination.run("shop", doc! {"create": "extra", "viewOn": "users"}).await;

    let finalized = finalize(&source.cluster, Fenced::alone(&destination.cluster)).await.expect("finalizes");
    assert_eq!(finalized.problems, Vec::<String>::new());
    assert_eq!(indexes(&destination, &namespace).await, indexes(&source, &namespace).await);
    let (wanted, views) = (list_metadata(&source.cluster).await, list_metadata(&destination.cluster).await);
    assert_eq!(views.expect("lists").views, wanted.expect("lists").views);
    source.end().await;
    destination.end().await;
}

/// GIVEN an index build that takes a while WHEN the server is asked meanwhile THEN it says how far it is; and nothing of a collection
/// that builds none.
#[tokio::test(flavor = "multi_thread")]
async fn a_build_under_way_tells_how_far_it_is() {
    for version in [MongodVersion::V4_4_2, MongodVersion::V5_0_4, MongodVersion::V6_0_5] {
        let server = of_set(ReplicaSet::builder().version(version).start().await.expect("a replica set")).await;
        let namespace: Namespace = "shop.events".parse().expect("valid");
        for first in (0..200_000).step_by(40_000) {
            let documents = (first..first + 40_000).map(|n| doc! {"_id": n, "a": n, "b": -n, "text": n.to_string()});
            server.insert("shop", "events", documents.collect()).await;
        }
        assert_eq!(index_build_progress(&server.cluster, &namespace).await.expect("answers"), None);
        let keys = ["a", "b", "text"].map(|name| doc! {"key": {name: 1}, "name": name});
        let mut build = Box::pin(server.run("shop", doc! {"createIndexes": "events", "indexes": keys.to_vec()}));
        let told = loop {
            tokio::select! {
                _ = &mut build => panic!("{version:?} has said nothing until the end"),
                told = index_build_progress(&server.cluster, &namespace) => {
                    if let Some(told) = told.expect("answers") {
                        break told;
                    }
                }
            }
        };
        assert!(told.ends_with(" %"), "{told}");
        build.as_mut().await;
        drop(build);
        server.end().await;
    }
}
