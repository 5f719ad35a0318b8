use mongodb::bson::doc;
use mongoferry_bus::{Bus, BusOptions, key};
use mongoferry_protocol::{Catalog, MigrationStatus, Phase, RangePlan, RangeProgress, RangeState};
use mongoferry_testbed::NatsServer;
use mongoferry_tests::{Clusters, Migration, StageProcess, stop};
use serde_json::json;

const ID: &str = "shared";

/// What the records say of every range.
async fn ranges(bus: &Bus) -> Vec<RangeProgress> {
    let records = bus.records();
    let catalog: Option<Catalog> = records.get(&key::catalog()).await.expect("answers").map(|found| found.value);
    let mut all = Vec::new();
    for collection in catalog.map(|catalog| catalog.collections).unwrap_or_default() {
        let plan = records.get(&key::range_plan(collection)).await.expect("answers");
        let RangePlan { ranges } = plan.map_or(RangePlan { ranges: Vec::new() }, |found| found.value);
        for range in ranges {
            let progress = records.get(&key::range(collection, range.number)).await.expect("answers");
            all.push(progress.map(|found| found.value).unwrap_or_default());
        }
    }
    all
}

fn done_by(ranges: &[RangeProgress], copier: &str) -> usize {
    ranges.iter().filter(|range| range.state == RangeState::Done && range.copier == copier).count()
}

/// GIVEN one copier at work WHEN another joins in mid-run THEN it gets ranges of its own; WHEN it is told to leave while it copies THEN
/// it ends cleanly and the first finishes what is left; every document was copied once, but for those of the range that changed hands.
#[tokio::test(flavor = "multi_thread")]
async fn a_copier_joins_and_leaves() {
    let clusters = Clusters::seeded(40).await;
    let nats = NatsServer::builder().start().await.expect("nats-server starts");
    let state = tempfile::tempdir().expect("a directory");
    let mut migration = Migration::between(&clusters, state.path())
        .argument(&format!("--nats={}", nats.url()))
        .argument(&format!("--id={ID}"))
        .argument("--copiers=1")
        .environment("MONGOFERRY_COPIER_RANGE_MIB", "1")
        .start();
    migration.wait_for("somebody leads", |_| true).await;
    migration.post_with("throttle", &json!({"bytesPerSecond": 3 << 20})).await;
    migration.wait_for("some is copied", |status| status.phase == Phase::Copying && status.bytes > 0).await;

    let settings = [
        ("MONGOFERRY_SOURCE", clusters.source.uri()),
        ("MONGOFERRY_DESTINATION", clusters.destination.uri()),
        ("MONGOFERRY_NATS", nats.url()),
        ("MONGOFERRY_ID", ID.to_owned()),
    ];
    let settings: Vec<_> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut joined = StageProcess::start("mongoferry-copier", &["--instance=joined"], &settings, state.path());
    let options = BusOptions { url: nats.url(), user: None, password: None, credentials_file: None, replicas: 1 };
    let bus = Bus::connect(&options, &ID.parse().expect("an id")).await.expect("the bus answers");
    let is_copying = |status: &MigrationStatus| {
        status.copiers.iter().any(|one| one.instance == "joined" && one.activity.starts_with("copying"))
    };
    while done_by(&ranges(&bus).await, "joined") == 0 {
        let status = migration.status().await.expect("answers");
        assert_eq!(status.phase, Phase::Copying, "the joined copier got no range");
    }
    migration.wait_for("the joined copier copies", is_copying).await;
    stop(joined.pid());
    assert_eq!(joined.exit_code().await, Some(0), "{}", joined.log_text());
    migration.post_with("throttle", &json!({})).await;

    let ready = migration.wait_for_phase(Phase::Ready).await;
    let all = ranges(&bus).await;
    assert!(all.iter().all(|range| range.state == RangeState::Done), "{all:?}");
    let own = all.iter().filter(|range| range.copier != "joined").count();
    assert!(done_by(&all, "joined") > 0 && own > 0, "{all:?}");
    let again: u64 = all.iter().filter(|range| range.attempts > 1).map(|range| range.documents).sum();
    assert!(ready.repeated_documents <= again, "{} of {again}", ready.repeated_documents);
    let mut there = 0;
    for namespace in ready.collections.iter().map(|collection| &collection.namespace) {
        let (database, collection) = namespace.split_once('.').expect("a namespace");
        let source = clusters.source_client().await.database(database);
        let count = source.run_command(doc! {"count": collection}).await.expect("answers");
        there += u64::try_from(count.get_i32("n").expect("a count")).expect("is not negative");
    }
    assert_eq!(all.iter().map(|range| range.documents).sum::<u64>(), there);
    migration.post("commit").await;
    migration.end_committed().await;
    clusters.assert_equal().await;
}
