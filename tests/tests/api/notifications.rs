use std::{os::unix::fs::PermissionsExt, path::Path, time::Duration};

use hmac::{Hmac, KeyInit, Mac};
use mongoferry_protocol::Phase;
use mongoferry_testbed::{SeedSize, seed};
use mongoferry_tests::{Clusters, HeldCommands, Migration, children_of};
use serde_json::Value;
use sha2::Sha256;
use tokio::net::TcpListener;

use crate::receiver::{Received, Receiver};

const SECRET: &str = "a-s3cret-to-sign-with";
const ROAD: [Phase; 10] = [
    Phase::Created,
    Phase::Validating,
    Phase::Starting,
    Phase::Copying,
    Phase::CatchingUp,
    Phase::Ready,
    Phase::Draining,
    Phase::Verifying,
    Phase::Finalizing,
    Phase::Committed,
];

/// GIVEN two webhooks, one of which never answers, and a command WHEN a migration is killed on its way and committed THEN the
/// other two are told of every phase in order, each event under one id, signed, and nothing waits for the one that is silent.
#[tokio::test(flavor = "multi_thread")]
async fn everybody_is_told_of_every_phase() {
    let clusters = Clusters::seeded(1).await;
    let state = tempfile::tempdir().expect("a directory");
    let receiver = Receiver::refusing_first(2).await;
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let told = state.path().join("told");
    let hook = script(state.path(), &told);
    let webhooks = format!("{}/a-s3cret-path,http://{}/", receiver.address, silent.local_addr().expect("is bound"));
    let mut migration = Migration::between(&clusters, state.path())
        .environment("MONGOFERRY_WEBHOOK", &webhooks)
        .environment("MONGOFERRY_WEBHOOK_SECRET", SECRET)
        .argument(&format!("--on-event={hook}"))
        .start();
    migration.wait_for_phase(Phase::Ready).await;
    until(|| phases(&receiver).contains(&Phase::Ready)).await;
    for process in children_of(migration.pid()) {
        let arguments = std::fs::read_to_string(format!("/proc/{process}/cmdline")).unwrap_or_default();
        assert!(!arguments.contains("s3cret"), "{arguments}");
    }
    let mut migration = migration.kill_with_children_and_start_again().await;
    migration.wait_for_phase(Phase::Ready).await;
    migration.post("commit").await;
    migration.end_committed().await;

    // The end is told before the process that tells it is gone.
    let taken = receiver.taken();
    assert_eq!(receiver.refusals_left(), 0);
    assert_eq!(on_the_road(events(&taken)), ROAD, "{:#?}", events(&taken));
    for received in &taken {
        assert_eq!(received.path, "/a-s3cret-path");
        assert_eq!(received.headers["mongoferry-event"], received.event()["id"].as_str().expect("has an id"));
        assert_eq!(received.headers["mongoferry-signature"], signature(received));
    }
    let lines = std::fs::read_to_string(&told).expect("the command was run");
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).expect("an event is JSON")).collect();
    assert_eq!(on_the_road(lines), ROAD);
    let seen = std::fs::read_to_string(told.with_extension("environment")).expect("the command was run");
    assert!(seen.contains("MONGOFERRY_EVENT=phase") && seen.contains("MONGOFERRY_PHASE=committed"), "{seen}");
    assert!(!seen.contains("MONGOFERRY_SOURCE") && !seen.contains("s3cret"), "{seen}");
    for log in std::fs::read_dir(state.path().join("state/logs")).expect("is there").flatten() {
        assert!(!std::fs::read_to_string(log.path()).expect("is text").contains("s3cret"), "{}", log.path().display());
    }
}

/// GIVEN a migration that fails WHEN somebody is to be told THEN the failure's code and what to do arrive, and the stream of
/// events tells the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_failure_is_told_with_what_to_do() {
    let clusters = Clusters::seeded(1).await;
    let state = tempfile::tempdir().expect("a directory");
    let receiver = Receiver::refusing_first(0).await;
    let mut migration = Migration::between(&clusters, state.path())
        .argument(&format!("--webhook={}", receiver.address))
        .argument("--start=manual")
        .start();
    migration.wait_for_phase(Phase::Created).await;
    let mut followed = reqwest::get(format!("{}/api/v1/events", migration.api_address())).await.expect("is answered");
    // Something comes into the way between the start and its validation, which are one call.
    migration.process("validator").await;
    let things = clusters.destination_client().await.database("shop");
    let insert = mongodb::bson::doc! {"insert": "orders", "documents": [{"_id": 1}]};
    things.run_command(insert).await.expect("is inserted");
    migration.post("start").await;
    let mut stream = String::new();
    while !stream.contains("event: failure") {
        let part = followed.chunk().await.expect("it goes on").expect("it has not ended");
        stream += &String::from_utf8_lossy(&part);
    }
    assert!(stream.contains("event: progress") && stream.contains("event: phase"), "{stream}");
    assert_eq!(migration.end().await.code, Some(3));
    let events = events(&receiver.taken());
    let failure = events.iter().find(|event| event["event"] == "failure").unwrap_or_else(|| panic!("{events:#?}"));
    assert_eq!((failure["code"].as_str(), failure["phase"].as_str()), (Some("MF-COORD-5"), Some("failed")));
    assert!(failure["hint"].as_str().is_some_and(|hint| hint.contains("mongoferry validate")), "{failure}");
}

/// GIVEN a cutover whose write downtime was predicted WHEN it takes longer THEN that is told once, with the prediction and what to do.
#[tokio::test(flavor = "multi_thread")]
async fn a_cutover_slower_than_predicted_is_told() {
    let clusters = Clusters::with_fail_points().await;
    seed::fill(&clusters.source_client().await, SeedSize { mib: 1 }).await.expect("the source is filled");
    let state = tempfile::tempdir().expect("a directory");
    let receiver = Receiver::refusing_first(0).await;
    let webhook = format!("--webhook={}", receiver.address);
    let mut migration = Migration::between(&clusters, state.path()).argument(&webhook).start();
    migration.wait_for("a prediction", |status| status.predicted_downtime_ms.is_some()).await;
    let destination = clusters.destination_client().await;
    let held = HeldCommands::on(&destination);
    held.hold("indexer", &["collMod"]).await;
    migration.post("commit").await;
    let under_way = migration.wait_for_phase(Phase::Verifying).await;
    let slow =
        || events(&receiver.taken()).into_iter().filter(|event| event["event"] == "slow-cutover").collect::<Vec<_>>();
    until(|| !slow().is_empty()).await;
    held.release().await;
    migration.end_committed().await;
    let mut told = slow();
    told.dedup_by_key(|event| event["id"].clone());
    let predicted = format!("{} ms that were predicted", under_way.predicted_downtime_ms.expect("is known"));
    assert!(
        told.len() == 1 && told[0]["message"].as_str().is_some_and(|message| message.contains(&predicted)),
        "{told:#?}"
    );
    assert!(told[0]["hint"].as_str().is_some_and(|hint| hint.contains("mongoferry status")), "{told:#?}");
}

/// Appends what it is told to `told`, and notes its variables beside it.
fn script(directory: &Path, told: &Path) -> String {
    let path = directory.join("hook.sh");
    let told = told.display();
    let text = format!("#!/bin/sh\ncat >> {told}\necho >> {told}\nenv | grep MONGOFERRY >> {told}.environment\n");
    std::fs::write(&path, text).expect("is written");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).expect("may be run");
    path.display().to_string()
}

fn signature(received: &Received) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("a key of any length will do");
    mac.update(received.headers["mongoferry-timestamp"].as_bytes());
    mac.update(b".");
    mac.update(&received.body);
    let digest = mac.finalize().into_bytes();
    format!("sha256={}", digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
}

fn events(taken: &[Received]) -> Vec<Value> {
    taken.iter().map(Received::event).collect()
}

fn phases(receiver: &Receiver) -> Vec<Phase> {
    on_the_road(events(&receiver.taken()))
}

/// The phases that were told, those told again left out by their ids; catching up and being ready may come and go.
fn on_the_road(mut events: Vec<Value>) -> Vec<Phase> {
    events.sort_by_key(|event| event["number"].as_u64());
    events.dedup_by_key(|event| event["id"].clone());
    let phases = events.into_iter().filter(|event| event["event"] == "phase");
    let mut phases: Vec<Phase> =
        phases.map(|event| serde_json::from_value(event["phase"].clone()).expect("is a phase")).collect();
    let mut seen = Vec::new();
    phases.retain(|phase| {
        !seen.contains(phase) && {
            seen.push(*phase);
            true
        }
    });
    phases
}

async fn until(wanted: impl Fn() -> bool) {
    let waited = async {
        while !wanted() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(120), waited).await.expect("it comes");
}
