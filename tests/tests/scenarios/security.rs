use mongodb::bson::doc;
use mongoferry_protocol::Phase;
use mongoferry_testbed::{ReplicaSet, SeedSize, assert_equal, seed};
use mongoferry_tests::{Clusters, Migration};

/// GIVEN authentication on both sides and TLS on the destination WHEN users with exactly the documented roles migrate THEN
/// everything works, and no password is in any argument or log.
#[tokio::test(flavor = "multi_thread")]
async fn the_documented_roles_and_tls_are_enough() {
    let (source, destination) =
        tokio::join!(ReplicaSet::builder().auth().start(), ReplicaSet::builder().auth().tls().start());
    let clusters = Clusters { source: source.expect("starts"), destination: destination.expect("starts") };
    seed::fill(&clusters.source_client().await, SeedSize { mib: 5 }).await.expect("the source is filled");
    let reader = doc! {"pwd": "s3cret-reader", "roles": ["backup", "readAnyDatabase", "clusterMonitor"]};
    clusters.source.create_user("reader", reader).await.expect("is created");
    let writer =
        doc! {"pwd": "s3cret-writer", "roles": ["readWriteAnyDatabase", "dbAdminAnyDatabase", "clusterMonitor"]};
    clusters.destination.create_user("writer", writer).await.expect("is created");

    let workload = clusters.workload(200).await;
    let state = tempfile::tempdir().expect("a directory");
    let mut migration = Migration::between(&clusters, state.path())
        .source(&clusters.source.uri_for("reader", "s3cret-reader"))
        .destination(&clusters.destination.uri_for("writer", "s3cret-writer"))
        .start();
    migration.wait_for_phase(Phase::Ready).await;
    for process in migration.status().await.expect("answers").copiers {
        let arguments = std::fs::read_to_string(format!("/proc/{}/cmdline", process.pid)).expect("is alive");
        assert!(!arguments.contains("s3cret"), "{arguments}");
    }
    workload.stop().await.expect("the workload met no error");
    migration.post("commit").await;
    migration.end_committed().await;
    assert_equal(&clusters.source_client().await, &clusters.destination_client().await).await;
    for entry in walk(state.path()) {
        let text = std::fs::read(&entry).expect("is readable");
        assert!(!text.windows(6).any(|window| window == b"s3cret"), "{}", entry.display());
    }
}

/// Every file below `directory`.
fn walk(directory: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(directory).expect("is a directory").flatten();
    let below = |path: std::path::PathBuf| if path.is_dir() { walk(&path) } else { vec![path] };
    entries.map(|entry| entry.path()).filter(|path| path.is_dir() || path.is_file()).flat_map(below).collect()
}
