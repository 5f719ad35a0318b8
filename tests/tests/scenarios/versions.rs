//! Whole migrations between every pair of versions that can be run, with what the older of the two has to offer.

mod features;

use mongodb::{Client, bson::doc};
use mongoferry_protocol::Phase;
use mongoferry_testbed::{MongodVersion, ReplicaSet, SeedSize, seed};
use mongoferry_tests::{Clusters, Migration};

use MongodVersion::{V4_2_6, V4_4_2, V5_0_4, V6_0_5};

/// GIVEN a source that uses its version's features and is written to WHEN it is migrated while its catalog changes THEN both sides
/// are equal. `holds_back` is the feature compatibility version of a source that is newer than its destination.
async fn everything_arrives(source: MongodVersion, destination: MongodVersion, holds_back: Option<&str>) {
    let of = |version| ReplicaSet::builder().version(version).start();
    let (from, to) = tokio::join!(of(source), of(destination));
    let clusters = Clusters { source: from.expect("a source starts"), destination: to.expect("a destination starts") };
    let user = clusters.source_client().await;
    if let Some(fcv) = holds_back {
        let command = doc! { "setFeatureCompatibilityVersion": fcv };
        user.database("admin").run_command(command).await.expect("the source holds back");
    }
    let features = features::up_to(source.min(destination));
    seed::fill(&user, SeedSize { mib: 1 }).await.expect("the source is filled");
    for feature in &features {
        run(&user, feature.name, &feature.before).await;
    }

    let workload = clusters.workload(200).await;
    let state = tempfile::tempdir().expect("a directory");
    let mut migration = Migration::between(&clusters, state.path()).start();
    let begun = |phase| matches!(phase, Phase::Copying | Phase::CatchingUp | Phase::Ready);
    migration.wait_for("the copy has begun", |status| begun(status.phase)).await;
    for feature in &features {
        run(&user, feature.name, &feature.during).await;
    }
    migration.wait_for_phase(Phase::Ready).await;
    for feature in &features {
        run(&user, feature.name, &feature.when_ready).await;
    }
    workload.wait_for(workload.counts().total() + 200).await;
    workload.stop().await.expect("the workload met no error");
    migration.wait_for("ready and in step", |status| status.phase == Phase::Ready && status.gap_closed).await;
    migration.post("commit").await;
    migration.end_committed().await;
    clusters.assert_equal().await;
}

async fn run(user: &Client, feature: &str, commands: &[features::Command]) {
    for (database, command) in commands {
        let answer = user.database(database).run_command(command.clone()).await;
        let answer = answer.unwrap_or_else(|error| panic!("{feature}: {command}: {error}"));
        assert!(!answer.contains_key("writeErrors"), "{feature}: {command}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn from_4_2_to_4_2() {
    everything_arrives(V4_2_6, V4_2_6, None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn from_4_2_to_4_4() {
    everything_arrives(V4_2_6, V4_4_2, None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn from_4_2_to_5_0() {
    everything_arrives(V4_2_6, V5_0_4, None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn from_4_2_to_6_0() {
    everything_arrives(V4_2_6, V6_0_5, None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn from_4_4_to_4_4() {
    everything_arrives(V4_4_2, V4_4_2, None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn from_4_4_to_5_0() {
    everything_arrives(V4_4_2, V5_0_4, None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn from_4_4_to_6_0() {
    everything_arrives(V4_4_2, V6_0_5, None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn from_5_0_to_5_0() {
    everything_arrives(V5_0_4, V5_0_4, None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn from_5_0_to_6_0() {
    everything_arrives(V5_0_4, V6_0_5, None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn from_6_0_to_6_0() {
    everything_arrives(V6_0_5, V6_0_5, None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn from_5_0_that_holds_back_to_4_4() {
    everything_arrives(V5_0_4, V4_4_2, Some("4.4")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn from_4_4_that_holds_back_to_4_2() {
    everything_arrives(V4_4_2, V4_2_6, Some("4.2")).await;
}
