//! GIVEN writers at work WHEN the primary is killed THEN they go on, and everything they promise has happened.

use std::num::NonZeroU32;

use bson::{Document, doc};
use mongoferry_testbed::{MongodVersion, ReplicaSet, Workload, WorkloadOptions};

#[tokio::test]
async fn writers_survive_a_failover_and_change_the_catalog() {
    let mut set = ReplicaSet::builder().members(3).start().await.unwrap();
    let client = set.client().await.unwrap();
    let workload = Workload::start(client.clone(), WorkloadOptions::default()).await.unwrap();
    workload.wait_for(400).await;
    let primary = set.primary_index().await.unwrap();
    set.kill(primary);
    let before = workload.counts().total();
    workload.wait_for(before + 400).await;
    set.restart(primary).await.unwrap();
    let counts = workload.stop().await.unwrap();

    assert!(counts.total() >= before + 400, "{counts:?}");
    for (kind, count) in [
        ("inserts", counts.inserts),
        ("updates", counts.updates),
        ("array changes", counts.array_changes),
        ("replacements", counts.replacements),
        ("deletes", counts.deletes),
        ("transactions", counts.transactions),
        ("swaps", counts.swaps),
    ] {
        assert!(count > 0, "{kind}: {counts:?}");
    }
    assert_eq!(counts.catalog_changes, 3);
    let mut collections = client.database("content").list_collection_names().await.unwrap();
    collections.retain(|name| name.ends_with("_1"));
    collections.sort();
    assert_eq!(collections, ["drafts_archive_1", "returns_1"]);
    let returns = client.database("content").collection::<Document>("returns_1");
    assert_eq!(returns.list_index_names().await.unwrap(), ["_id_", "number_1", "reason_1"]);
    assert_eq!(returns.count_documents(doc! {}).await.unwrap(), 100);
}

#[tokio::test]
async fn every_version_takes_the_whole_workload() {
    for version in MongodVersion::ALL {
        let set = ReplicaSet::builder().version(version).start().await.unwrap();
        let client = set.client().await.unwrap();
        let workload = Workload::start(client, WorkloadOptions { seed: 7, ..Default::default() }).await.unwrap();
        workload.wait_for(500).await;
        let counts = workload.stop().await.unwrap();
        assert!(counts.total() >= 500, "{version}: {counts:?}");
    }
}

#[tokio::test]
async fn a_rate_is_kept_and_a_failure_is_told() {
    let set = ReplicaSet::single().await.unwrap();
    let options = WorkloadOptions { operations_per_second: NonZeroU32::new(50), ..Default::default() };
    let client = set.client().await.unwrap();
    let workload = Workload::start(client.clone(), options).await.unwrap();
    let started = std::time::Instant::now();
    workload.wait_for(100).await;
    assert!(started.elapsed().as_secs_f64() > 1.5, "{:?}", started.elapsed());

    let refuse_all = doc! { "collMod": "orders", "validator": { "impossible": true } };
    client.database("shop").run_command(refuse_all).await.unwrap();
    workload.wait_for(u64::MAX).await;
    let error = workload.stop().await.unwrap_err();
    assert!(format!("{error:?}").contains("Document failed validation"), "{error:?}");
}
