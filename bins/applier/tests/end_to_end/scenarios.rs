use std::{
    num::{NonZeroU32, NonZeroUsize},
    time::Duration,
};

use bson::doc;
use mongoferry_protocol::Phase;
use mongoferry_testbed::{MongodVersion, ReplicaSet, Workload, WorkloadOptions};
use rand::{RngExt, SeedableRng, rngs::StdRng};

use crate::{
    catalog_chaos::CatalogChaos,
    migration::{Migration, Sides},
    random_updates::{self, Names},
};

fn workload() -> WorkloadOptions {
    let writers = NonZeroUsize::new(3).expect("not zero");
    WorkloadOptions { writers, operations_per_second: None, seed: 7 }
}

/// Printed, so that a failure can be played again with MONGOFERRY_TEST_SEED.
fn seed() -> u64 {
    let seed = std::env::var("MONGOFERRY_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| rand::rng().random());
    eprintln!("MONGOFERRY_TEST_SEED={seed}");
    seed
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_application_is_followed_through_kills() {
    // GIVEN a source that is written to while it is copied
    let mut rng = StdRng::seed_from_u64(seed());
    let sides = Sides::of(MongodVersion::V6_0_5, MongodVersion::V6_0_5).await;
    let before = Workload::start(sides.user.clone(), workload()).await.expect("starts");
    before.wait_for(500).await;
    before.stop().await.expect("nothing failed");
    let migration = sides.begin().await;
    let during = WorkloadOptions { seed: 8, ..workload() };
    let during = Workload::start(migration.user.clone(), during).await.expect("starts");
    during.wait_for(300).await;
    migration.copy().await;

    // WHEN the applier catches up and is killed time and again
    migration.enter(Phase::CatchingUp).await;
    for _ in 0..5 {
        let from = migration.applied().await;
        let applier = migration.start_applier("one");
        let further = mongoferry_protocol::Optime::new(from.t.max(1), from.i + 1);
        migration.until_applied(further).await;
        // The moment of the kill is what varies; nothing is awaited here.
        tokio::time::sleep(Duration::from_millis(rng.random_range(0..400))).await;
        applier.kill();
    }
    let applier = migration.start_applier("one");
    during.wait_for(3_000).await;
    let counts = during.stop().await.expect("nothing failed");
    eprintln!("{counts:?}");

    // THEN both sides are equal
    migration.assert_converged().await;
    drop(applier);
    let log = migration.log_text();
    assert!(!log.contains("ERROR"), "{log}");
    migration.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_change_hands_are_followed_through_kills() {
    let seed = seed();
    let mut rng = StdRng::seed_from_u64(seed);
    let sides = Sides::of(MongodVersion::V6_0_5, MongodVersion::V6_0_5).await;
    let mut chaos = CatalogChaos::new(&sides.user, seed);
    chaos.steps(200).await;
    let migration = sides.begin().await;
    chaos.steps(300).await;
    let copying = async {
        tokio::join!(migration.copy(), chaos.steps(300));
    };
    copying.await;
    migration.enter(Phase::CatchingUp).await;
    for _ in 0..6 {
        let applier = migration.start_applier("one");
        let from = migration.applied().await;
        chaos.steps(100).await;
        // The moment of the kill is what varies; nothing is awaited here.
        tokio::time::sleep(Duration::from_millis(rng.random_range(0..500))).await;
        applier.kill();
        eprintln!("killed between {from} and {}", migration.applied().await);
    }
    let applier = migration.start_applier("one");
    chaos.steps(200).await;
    migration.assert_converged().await;
    drop(applier);
    let log = migration.log_text();
    assert!(!log.contains("ERROR"), "{log}");
    migration.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_takes_over_and_a_pause_is_kept() {
    let sides = Sides::of(MongodVersion::V4_4_2, MongodVersion::V6_0_5).await;
    let migration = sides.begin().await;
    let running = Workload::start(migration.user.clone(), workload()).await.expect("starts");
    running.wait_for(200).await;
    migration.copy().await;
    migration.enter(Phase::CatchingUp).await;
    let first = migration.start_applier("one");
    migration.until_applied(migration.note().await).await;

    let second = migration.start_applier("two");
    first.kill();
    running.wait_for(600).await;
    migration.until_applied(migration.note().await).await;

    migration.enter(Phase::Paused).await;
    until_activity(&migration, "resting").await;
    let resting_at = migration.applied().await;
    running.wait_for(running.counts().total() + 200).await;
    migration.note().await;
    assert_eq!(migration.applied().await, resting_at);

    migration.enter(Phase::CatchingUp).await;
    running.stop().await.expect("nothing failed");
    migration.assert_converged().await;
    drop(second);
    migration.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sleeper_that_wakes_up_writes_nothing() {
    let sides = Sides::of(MongodVersion::V5_0_4, MongodVersion::V6_0_27).await;
    let migration = sides.begin().await;
    let running = Workload::start(migration.user.clone(), workload()).await.expect("starts");
    running.wait_for(100).await;
    migration.copy().await;
    migration.enter(Phase::CatchingUp).await;
    let sleeper = migration.start_applier("one");
    migration.until_applied(migration.note().await).await;
    running.wait_for(running.counts().total() + 300).await;
    sleeper.suspend();

    let successor = migration.start_applier("two");
    migration.until_applied(migration.note().await).await;
    sleeper.wake();
    assert_eq!(sleeper.exit_code().await, Some(1), "{}", migration.log_text());
    running.stop().await.expect("nothing failed");
    migration.assert_converged().await;
    drop(successor);
    migration.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn elections_on_the_destination_are_outlasted() {
    let destination = ReplicaSet::builder().version(MongodVersion::V6_0_5).members(3);
    let sides = Sides::with(MongodVersion::V6_0_5, destination).await;
    let mut migration = sides.begin().await;
    let limited = WorkloadOptions { operations_per_second: NonZeroU32::new(300), ..workload() };
    let running = Workload::start(migration.user.clone(), limited).await.expect("starts");
    running.wait_for(100).await;
    migration.copy().await;
    migration.enter(Phase::CatchingUp).await;
    let applier = migration.start_applier("one");
    migration.until_applied(migration.note().await).await;

    migration.destination_set.step_down().await.expect("another primary");
    running.wait_for(running.counts().total() + 300).await;
    migration.until_applied(migration.note().await).await;
    let primary = migration.destination_set.primary_index().await.expect("a primary");
    migration.destination_set.kill(primary);
    migration.destination_set.primary_index().await.expect("another primary");
    running.wait_for(running.counts().total() + 300).await;
    migration.until_applied(migration.note().await).await;
    migration.destination_set.restart(primary).await.expect("comes back");

    running.stop().await.expect("nothing failed");
    migration.assert_converged().await;
    drop(applier);
    let log = migration.log_text();
    assert!(!log.contains("ERROR"), "{log}");
    migration.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_applied_stops_the_migration() {
    let sides = Sides::of(MongodVersion::V6_0_5, MongodVersion::V6_0_5).await;
    let migration = sides.begin().await;
    migration.copy().await;
    migration.enter(Phase::CatchingUp).await;
    let shop = migration.user.database("shop");
    shop.run_command(doc! {"insert": "orders", "documents": [{"_id": 1}]}).await.expect("inserted");
    let key = bson::Bson::from(bson::Uuid::from_bytes([7; 16]));
    let encrypted = doc! {"fields": [{"path": "card", "keyId": key, "bsonType": "string"}]};
    shop.run_command(doc! {"create": "cards", "encryptedFields": encrypted}).await.expect("created");
    shop.run_command(doc! {"insert": "orders", "documents": [{"_id": 2}]}).await.expect("inserted");
    let applier = migration.start_applier("one");
    assert_eq!(applier.exit_code().await, Some(3), "{}", migration.log_text());
    let log = migration.log_text();
    assert!(log.contains("MF-ENTRY-4") && log.contains("encryptedFields"), "{log}");
    migration.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn records_that_were_removed_are_not_laid_out_again() {
    let sides = Sides::of(MongodVersion::V6_0_5, MongodVersion::V6_0_5).await;
    let migration = sides.begin().await;
    migration.copy().await;
    migration.enter(Phase::CatchingUp).await;
    let applier = migration.start_applier("one");
    migration.until_applied(migration.note().await).await;
    let destination = migration.destination_set.client().await.expect("connects");
    destination.database("mongoferry").drop().await.expect("dropped");
    migration.note().await;
    assert_eq!(applier.exit_code().await, Some(3), "{}", migration.log_text());
    assert!(migration.log_text().contains("MF-APPLY-4"), "{}", migration.log_text());

    // At the end of a migration that is what happens, and no failure.
    let late = migration.start_applier("one");
    migration.enter(Phase::Committed).await;
    until_activity(&migration, "done").await;
    late.stop();
    assert_eq!(late.exit_code().await, Some(0), "{}", migration.log_text());
    let names = destination.list_database_names().await.expect("lists");
    assert!(!names.iter().any(|name| name == "mongoferry"), "{names:?}");
    migration.end().await;
}

/// GIVEN documents whose random updates a real server wrote, and of which each was copied at a moment of its own WHEN all
/// entries are replayed THEN every byte is as on the source, on every member.
async fn random_updates_end_as_on_the_source(source: MongodVersion, destination: MongodVersion, members: usize) {
    let seed = seed();
    let names = if source >= MongodVersion::V5_0_4 { Names::Any } else { Names::Plain };
    let sides = Sides::with(source, ReplicaSet::builder().version(destination).members(members)).await;
    random_updates::prepare(&sides.user).await;
    let migration = sides.begin().await;
    let listing = migration.list().await;
    let copying_to = random_updates::Destination {
        cluster: migration.destination.clone(),
        bus: migration.bus.clone(),
        collections: listing
            .collections
            .iter()
            .map(|info| (info.namespace.collection().to_owned(), info.uuid.expect("a collection has a UUID")))
            .collect(),
    };
    let counts = random_updates::write_and_copy(&migration.user, &copying_to, seed, names).await;
    eprintln!("{source} to {destination}: {counts:?}");
    for kind in random_updates::OPERATIONS {
        assert!(counts.get(kind).is_some_and(|count| *count > 0), "never: {kind}");
    }
    migration.copied().await;
    migration.enter(Phase::CatchingUp).await;
    let applier = migration.start_applier("one");
    migration.assert_converged().await;
    drop(applier);
    let log = migration.log_text();
    assert!(!log.contains("ERROR"), "{log}");
    migration.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn updates_of_4_2_on_4_2() {
    random_updates_end_as_on_the_source(MongodVersion::V4_2_6, MongodVersion::V4_2_6, 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn updates_of_4_2_on_4_4() {
    random_updates_end_as_on_the_source(MongodVersion::V4_2_6, MongodVersion::V4_4_2, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn updates_of_4_4_on_5_0() {
    random_updates_end_as_on_the_source(MongodVersion::V4_4_2, MongodVersion::V5_0_4, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn updates_of_4_4_on_6_0() {
    random_updates_end_as_on_the_source(MongodVersion::V4_4_2, MongodVersion::V6_0_5, 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn updates_of_4_4_on_late_6_0() {
    random_updates_end_as_on_the_source(MongodVersion::V4_4_2, MongodVersion::V6_0_27, 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn updates_of_5_0_on_5_0() {
    random_updates_end_as_on_the_source(MongodVersion::V5_0_4, MongodVersion::V5_0_4, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn updates_of_5_0_on_6_0() {
    random_updates_end_as_on_the_source(MongodVersion::V5_0_4, MongodVersion::V6_0_5, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn updates_of_6_0_on_late_6_0() {
    random_updates_end_as_on_the_source(MongodVersion::V6_0_5, MongodVersion::V6_0_27, 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_source_is_followed_closely() {
    let sides = Sides::of(MongodVersion::V6_0_5, MongodVersion::V6_0_5).await;
    let migration = sides.begin().await;
    migration.copy().await;
    migration.enter(Phase::CatchingUp).await;
    let applier = migration.start_applier("one");
    migration.until_applied(migration.note().await).await;
    let mut slowest = Duration::ZERO;
    for _ in 0..20 {
        let note = migration.note().await;
        let began = std::time::Instant::now();
        migration.until_applied(note).await;
        slowest = slowest.max(began.elapsed());
    }
    eprintln!("slowest of 20 notes: {slowest:?}");
    assert!(slowest < Duration::from_secs(2), "{slowest:?}");
    drop(applier);
    migration.end().await;
}

/// Until a heartbeat says so.
async fn until_activity(migration: &Migration, activity: &str) {
    let mut heartbeats = migration.bus.heartbeats().await.expect("a subscription");
    while let Some(heartbeat) = heartbeats.next().await {
        if heartbeat.activity == activity {
            return;
        }
    }
}
