//! benchmark: how long users can't write when a gibibyte with twenty indexes, three of them unique, is cut over.
//!
//! ```text
//! seed, indexes ──▶ migrate under writes ──▶ verified ahead ──▶ writes end, commit ──▶ predicted beside measured
//! ```
//!
//! It reports and does not judge: it fails only if the migration does, or if both sides are not the same.

use std::time::Instant;

use bson::{Document, doc};
use mongodb::Client;
use mongoferry_protocol::{MigrationStatus, Phase, Report};
use mongoferry_testbed::{ReplicaSet, SeedSize, seed};
use mongoferry_tests::{Clusters, Migration};

/// MONGOFERRY_BENCH_MIB.
const MIB: u64 = 1024;
/// Beside `_id`.
const INDEXES: usize = 20;
const UNIQUE: usize = 3;
const OPERATIONS_PER_SECOND: u32 = 100;

fn main() {
    // Built before the clock starts.
    mongoferry_tests::binary("mongoferry");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime starts");
    runtime.block_on(benchmark());
}

async fn benchmark() {
    let mib = std::env::var("MONGOFERRY_BENCH_MIB")
        .map_or(MIB, |text| text.parse().expect("MONGOFERRY_BENCH_MIB is a number"));
    let set = || ReplicaSet::builder().cache_gib(1.0).start();
    let (source, destination) = tokio::join!(set(), set());
    let clusters =
        Clusters { source: source.expect("a source starts"), destination: destination.expect("a destination starts") };
    let client = clusters.source_client().await;
    let filled = seed::fill(&client, SeedSize { mib }).await.expect("the source is filled");
    add_indexes(&client).await;
    let (indexes, unique) = count_indexes(&client).await;
    assert_eq!((indexes, unique), (INDEXES, UNIQUE), "what the benchmark is about");

    let began = Instant::now();
    let workload = clusters.workload(OPERATIONS_PER_SECOND).await;
    let state = tempfile::tempdir().expect("a directory");
    let mut migration = Migration::between(&clusters, state.path()).start();
    let ready = migration.wait_for("all is verified ahead, and the cutover predicted", is_verified_ahead).await;
    let ready_after = began.elapsed();
    let counts = workload.stop().await.expect("the workload met no error");
    migration.post("commit").await;
    let report = migration.state_file("report.json");
    migration.end_committed().await;
    let report: Report =
        serde_json::from_slice(&std::fs::read(report).expect("a report is left")).expect("is a report");
    clusters.assert_equal().await;
    print(&clusters, &ready, &report);
    println!(
        "{} documents, {:.0} MiB, {indexes} indexes, {unique} unique; verified ahead {:.0} s after the start, under {} writes",
        filled.documents,
        filled.bytes as f64 / (1 << 20) as f64,
        ready_after.as_secs_f64(),
        counts.total()
    );
}

fn print(clusters: &Clusters, ready: &MigrationStatus, report: &Report) {
    let seconds = |ms: Option<u64>| ms.map_or(f64::NAN, |ms| ms as f64 / 1_000.0);
    println!("\nmongoferry {}, mongod {}", env!("CARGO_PKG_VERSION"), clusters.destination.version());
    println!(
        "write downtime {:.2} s, verification included; {:.2} s were predicted",
        seconds(report.write_downtime_ms),
        seconds(report.predicted_downtime_ms)
    );
    for part in &ready.predicted_parts {
        println!("  predicted {:>6.2} s to {}", seconds(Some(part.ms)), part.what);
    }
    for stay in report.phases.iter().filter(|stay| stay.phase.is_cutover()) {
        println!("  measured  {:>6.2} s {}", seconds(Some(stay.duration_ms)), stay.phase);
    }
}

fn is_verified_ahead(status: &MigrationStatus) -> bool {
    let ahead = status.verified_ahead.as_ref();
    let is_whole =
        ahead.is_some_and(|ahead| ahead.collections_total > 0 && ahead.collections == ahead.collections_total);
    status.phase == Phase::Ready && is_whole && status.predicted_downtime_ms.is_some()
}

async fn add_indexes(client: &Client) {
    let plain = |name: &str| doc! {"key": {name: 1}, "name": name};
    let unique = |name: &str| doc! {"key": {name: 1}, "name": format!("{name}_unique"), "unique": true};
    for (collection, indexes) in
        [("orders", vec![unique("number"), plain("status"), plain("total")]), ("customers", vec![unique("number")])]
    {
        let command = doc! {"createIndexes": collection, "indexes": indexes, "writeConcern": {"w": "majority"}};
        client.database("shop").run_command(command).await.expect("the source builds indexes");
    }
}

/// Beside `_id`: all, and the unique ones.
async fn count_indexes(client: &Client) -> (usize, usize) {
    let mut found: Vec<Document> = Vec::new();
    for database in ["shop", "analytics", "content"] {
        let list = doc! {"listCollections": 1, "filter": {"type": "collection"}, "nameOnly": true};
        let names = client.database(database).run_command(list).await.expect("is listed");
        for entry in first_batch(&names) {
            let name = entry.get_str("name").expect("a name");
            let indexes = client.database(database).run_command(doc! {"listIndexes": name}).await.expect("is listed");
            found.extend(
                first_batch(&indexes).filter(|index| index.get_str("name").is_ok_and(|name| name != "_id_")).cloned(),
            );
        }
    }
    (found.len(), found.iter().filter(|index| index.get_bool("unique").unwrap_or(false)).count())
}

fn first_batch(reply: &Document) -> impl Iterator<Item = &Document> {
    let batch = reply.get_document("cursor").and_then(|cursor| cursor.get_array("firstBatch")).expect("a cursor");
    batch.iter().filter_map(|entry| entry.as_document())
}
