use mongodb::{Client, bson::doc};
use mongoferry_protocol::Phase;
use mongoferry_testbed::ReplicaSet;
use mongoferry_tests::{Clusters, Migration, child_of, kill};

const OVERLAPPING: usize = 8;

/// A database on both sides with other documents on each, a view over it, and one that the destination has alone.
async fn overlap(clusters: &Clusters) -> (Client, Client) {
    let (source, destination) = (clusters.source_client().await, clusters.destination_client().await);
    for (client, value) in [(&source, "new"), (&destination, "old")] {
        let shop = client.database("shop");
        for number in 0..OVERLAPPING {
            let documents = (0..20).map(|n| doc! {"_id": format!("{value} {n}"), "v": value});
            shop.collection(&format!("c{number}")).insert_many(documents).await.expect("is inserted");
        }
        shop.run_command(doc! {"create": "seen", "viewOn": "c0", "pipeline": [{"$match": {"v": value}}]})
            .await
            .expect("is created");
    }
    // A view here and a collection there stand in each other's way too.
    source.database("shop").collection("both").insert_one(doc! {"_id": 1}).await.expect("is inserted");
    destination
        .database("shop")
        .run_command(doc! {"create": "both", "viewOn": "c1", "pipeline": []})
        .await
        .expect("created");
    destination.database("shop").collection("alone").insert_one(doc! {"_id": 1}).await.expect("is inserted");
    destination.database("mine").collection("alone").insert_one(doc! {"_id": 1}).await.expect("is inserted");
    (source, destination)
}

async fn names(client: &Client) -> Vec<String> {
    let mut names = client.database("shop").list_collection_names().await.expect("answers");
    names.retain(|name| name != "system.views");
    names.sort();
    names
}

/// GIVEN namespaces on both sides WHEN leave to drop is not given rightly THEN nothing is dropped; WHEN it is, and the
/// command is killed in the middle of dropping, THEN it continues, and what is not in the way stays.
#[tokio::test(flavor = "multi_thread")]
async fn exactly_what_is_in_the_way_is_dropped_by_whoever_types_the_name() {
    let stoppable = ReplicaSet::builder().parameter("enableTestCommands=1").start();
    let (source, destination) = tokio::join!(ReplicaSet::single(), stoppable);
    let clusters = Clusters { source: source.expect("starts"), destination: destination.expect("starts") };
    let (_, destination) = overlap(&clusters).await;
    let before = names(&destination).await;
    let state = tempfile::tempdir().expect("a directory");
    let migration = |options: &[&str]| {
        let migration = Migration::between(&clusters, state.path()).argument("--no-verify");
        options.iter().fold(migration, |migration, option| migration.argument(option))
    };

    for (options, code, says) in [
        (&[][..], 3, "--drop --confirm-destination rs"),
        (&["--drop"], 2, "MF-ARGS-4"),
        (&["--confirm-destination=rs"], 2, "MF-ARGS-5"),
        (&["--drop", "--confirm-destination=production"], 3, "the destination's replica set is called \"rs\""),
    ] {
        let outcome = migration(options).start().end().await;
        assert_eq!(outcome.code, Some(code), "{options:?} {}", outcome.stderr);
        assert!(outcome.stderr.contains(says), "{options:?} {}", outcome.stderr);
        assert_eq!(names(&destination).await, before);
    }

    // The fourth drop of the coordinator stays under way until long after its end.
    let stuck = doc! {
        "configureFailPoint": "failCommand", "mode": {"skip": 3}, "data": {
            "failCommands": ["drop"], "appName": "mongoferry-cutover-coordinator",
            "blockConnection": true, "blockTimeMS": 10_000,
        },
    };
    let admin = destination.database("admin");
    admin.run_command(stuck).await.expect("is set");
    let mut dropping = migration(&["--drop", "--confirm-destination=rs"]).start();
    dropping.wait_for("the coordinator", |_| true).await;
    while names(&destination).await.len() > before.len() - 3 {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    // The launcher first, so that nobody starts the coordinator again.
    let coordinator = child_of(dropping.pid(), "mongoferry-cutover-coordinator");
    kill(dropping.pid());
    kill(coordinator);
    // Later drops go through at once; the answer comes when the stuck one is over.
    let off = doc! {"configureFailPoint": "failCommand", "mode": "off"};
    let off = tokio::spawn(async move { admin.run_command(off).await });
    let mut migration = dropping.kill_and_start_again().await;
    migration.wait_for_phase(Phase::Ready).await;
    off.await.expect("no panic").expect("is set");
    migration.post("commit").await;
    let outcome = migration.end_committed().await;
    assert!(outcome.stderr.contains("TO BE DROPPED from rs"), "{}", outcome.stderr);

    for number in 0..OVERLAPPING {
        let copied = destination.database("shop").collection::<mongodb::bson::Document>(&format!("c{number}"));
        assert_eq!(copied.count_documents(doc! {"v": "new"}).await.expect("answers"), 20);
        assert_eq!(copied.count_documents(doc! {"v": "old"}).await.expect("answers"), 0);
    }
    let seen = destination.database("shop").collection::<mongodb::bson::Document>("seen");
    assert_eq!(seen.count_documents(doc! {}).await.expect("answers"), 20);
    assert_eq!(names(&destination).await, before);
    let databases = destination.list_database_names().await.expect("answers");
    assert!(databases.contains(&"mine".to_owned()), "{databases:?}");
}
