use futures_util::TryStreamExt;
use mongodb::{
    Client,
    bson::{Document, Timestamp, doc},
};
use mongoferry_tests::{Clusters, Migration};

/// The last entry of the oplog.
async fn now(client: &Client) -> Timestamp {
    let oplog = client.database("local").collection::<Document>("oplog.rs");
    let last = oplog.find_one(doc! {}).sort(doc! {"$natural": -1}).await.expect("answers").expect("is not empty");
    last.get_timestamp("ts").expect("has a time")
}

/// Entries after `since` but for the server's own: its regular no-op, and what it keeps in its own databases.
async fn written_since(client: &Client, since: Timestamp) -> Vec<Document> {
    let oplog = client.database("local").collection::<Document>("oplog.rs");
    let own = doc! {"$not": {"$regex": "^(admin|config)\\."}};
    let filter = doc! {"ts": {"$gt": since}, "o.msg": {"$ne": "periodic noop"}, "ns": own};
    oplog.find(filter).await.expect("answers").try_collect().await.expect("answers")
}

/// GIVEN data on both sides WHEN a migration is only rehearsed THEN the plan is printed and nothing is written anywhere;
/// errors are told by the exit code.
#[tokio::test(flavor = "multi_thread")]
async fn the_plan_is_printed_and_nothing_is_written() {
    let clusters = Clusters::seeded(1).await;
    let (source, destination) = (clusters.source_client().await, clusters.destination_client().await);
    let large = source.database("zoo").collection("large");
    large.insert_many((0..300).map(|n| doc! {"_id": n, "text": "x".repeat(10_000)})).await.expect("is inserted");
    source
        .database("zoo")
        .run_command(doc! {"create": "seen", "viewOn": "large", "pipeline": []})
        .await
        .expect("created");
    let state = tempfile::tempdir().expect("a directory");
    let before = [now(&source).await, now(&destination).await];
    let dry = |options: &[&str]| {
        let migration = Migration::between(&clusters, state.path()).argument("--dry-run");
        options.iter().fold(migration, |migration, option| migration.argument(option)).start().end()
    };

    let outcome = dry(&[]).await;
    assert_eq!(outcome.code, Some(0), "{}{}", outcome.stdout, outcome.stderr);
    let plan = &outcome.stdout;
    let place = |part: &str| plan.find(part).unwrap_or_else(|| panic!("{part} is not in:\n{plan}"));
    assert!(place("zoo.large  300 documents") < place("shop."), "largest first:\n{plan}");
    for part in [
        "source       rs",
        "destination  rs",
        "copy about",
        "disk needed",
        "1 range, 1 index",
        "shop.open_orders, zoo.seen",
        "not copied   users: 0",
        "could begin; nothing was written",
    ] {
        place(part);
    }

    destination.database("zoo").collection("large").insert_one(doc! {"_id": 1}).await.expect("is inserted");
    let after_insert = now(&destination).await;
    let outcome = dry(&[]).await;
    assert_eq!(outcome.code, Some(3), "{}", outcome.stdout);
    assert!(outcome.stdout.contains("MF-V14") && outcome.stdout.contains("could not begin"), "{}", outcome.stdout);
    let outcome = dry(&["--drop", "--confirm-destination=rs"]).await;
    assert_eq!(outcome.code, Some(0), "{}", outcome.stdout);
    assert!(
        outcome.stdout.contains("TO BE DROPPED from rs, for good:\n  zoo.large  1 document\n"),
        "{}",
        outcome.stdout
    );

    assert!(!state.path().join("state").exists(), "a state directory was made");
    for (client, since) in [(&source, before[0]), (&destination, after_insert)] {
        let written = written_since(client, since).await;
        assert!(written.is_empty(), "{written:#?}");
    }
    let first_on_destination = written_since(&destination, before[1]).await;
    assert!(first_on_destination.iter().all(|entry| entry.get_str("ns").is_ok_and(|ns| ns.starts_with("zoo."))));
}
