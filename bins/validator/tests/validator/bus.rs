//! With a bus: its own check, the stored report, and a migration that is under way.

use bson::doc;
use mongoferry_bus::{Bus, BusOptions, key, look};
use mongoferry_protocol::{
    ClusterIdentity, CutoverMode, MigrationId, MigrationSettings, Phase, PhaseRecord, ValidationReport,
};
use mongoferry_testbed::{NatsServer, ReplicaSet};

use crate::{
    nats_account::NatsAccount,
    outcome::{Outcome, only_error, passed, troubles, troubles_of},
};

fn settings(id: &MigrationId, report: &ValidationReport) -> MigrationSettings {
    MigrationSettings {
        id: id.clone(),
        source: report.source.clone().expect("reached"),
        destination: report.destination.clone().expect("reached"),
        cutover: CutoverMode::Manual,
        cutover_limit_ms: 600_000,
        verify: true,
        lanes: 4,
        created_at_ms: 1,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_report_is_stored_and_a_continuation_recognised() {
    let (source, destination) = tokio::try_join!(ReplicaSet::single(), ReplicaSet::single()).expect("two replica sets");
    let nats = NatsServer::builder().start().await.expect("a bus");
    let id: MigrationId = "orders".parse().expect("valid");
    let client = source.client().await.expect("a client");
    client.database("shop").collection("orders").insert_one(doc! {"_id": 1}).await.expect("inserted");

    // GIVEN a bus, WHEN the pair is checked, THEN the report is on the bus
    let (url, source_uri, destination_uri) = (nats.url(), source.uri(), destination.uri());
    let arguments = ["--nats", &url, "--id", id.as_str(), "--format", "json"];
    let outcome = Outcome::of(&source_uri, &destination_uri, &arguments).await;
    assert_eq!(outcome.code, 0, "{} {}", outcome.stdout, outcome.stderr);
    let printed: ValidationReport = serde_json::from_str(&outcome.stdout).expect("a report");
    assert!(printed.findings.iter().any(|finding| finding.code == "MF-V21"), "{printed:#?}");
    let options = BusOptions { url: url.clone(), user: None, password: None, credentials_file: None, replicas: 1 };
    let bus = Bus::connect(&options, &id).await.expect("the bus answers");
    let stored = bus.records().get(&key::validation()).await.expect("read").expect("stored").value;
    assert_eq!(stored, printed);

    // GIVEN a migration past its validation, WHEN its collections stand on both sides, THEN they are no overlap
    bus.records().put(&key::settings(), &settings(&id, &printed)).await.expect("stored");
    let copying = PhaseRecord { phase: Phase::Copying, ..PhaseRecord::created() };
    bus.records().put(&key::phase(), &copying).await.expect("stored");
    let copied = destination.client().await.expect("a client");
    copied.database("shop").collection("orders").insert_one(doc! {"_id": 1}).await.expect("inserted");
    let outcome = Outcome::of(&source_uri, &destination_uri, &arguments).await;
    assert_eq!(outcome.code, 0, "{}", outcome.stdout);
    let report: ValidationReport = serde_json::from_str(&outcome.stdout).expect("a report");
    assert_eq!((report.collections, report.documents), (1, 1));

    // GIVEN the state of a migration between other clusters THEN it is refused
    let elsewhere = ClusterIdentity {
        replica_set: "other".into(),
        replica_set_id: Some("0".repeat(24)),
        hosts: vec!["elsewhere:1".into()],
        version: "6.0.5".into(),
    };
    let foreign = MigrationSettings { source: elsewhere, ..settings(&id, &printed) };
    bus.records().put(&key::settings(), &foreign).await.expect("stored");
    let outcome = Outcome::of(&source_uri, &destination_uri, &arguments).await;
    assert_eq!(outcome.code, 3);
    let report: ValidationReport = serde_json::from_str(&outcome.stdout).expect("a report");
    let error = only_error(&report);
    assert!(error.code == "MF-V10" && error.found.contains("state of another migration"), "{error:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bus_that_does_not_answer_hides_nothing_else() {
    let (source, destination) = tokio::try_join!(ReplicaSet::single(), ReplicaSet::single()).expect("two replica sets");
    let arguments = ["--nats", "nats://127.0.0.1:1", "--format", "json"];
    let outcome = Outcome::of(&source.uri(), &destination.uri(), &arguments).await;
    assert_eq!(outcome.code, 3, "{}", outcome.stderr);
    let report: ValidationReport = serde_json::from_str(&outcome.stdout).expect("a report");
    assert_eq!(only_error(&report).code, "MF-V21");
    assert!(report.source.is_some() && report.destination.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mere_look_leaves_nothing_on_the_bus_and_a_bus_without_jetstream_is_told() {
    let (source, destination) = tokio::try_join!(ReplicaSet::single(), ReplicaSet::single()).expect("two replica sets");
    let nats = NatsServer::builder().start().await.expect("a bus");
    let url = nats.url();
    let arguments = ["--nats", &url, "--look-only", "--format", "json"];
    let outcome = Outcome::of(&source.uri(), &destination.uri(), &arguments).await;
    let report: ValidationReport = serde_json::from_str(&outcome.stdout).expect("a report");
    assert_eq!(outcome.code, 0, "{:#?}", troubles(&report));
    assert!(passed(&report, "MF-V21").contains("no limit for this account"), "{report:#?}");
    let options = BusOptions { url, user: None, password: None, credentials_file: None, replicas: 1 };
    assert_eq!(look(&options).await.expect("answers").stored_bytes, 0);

    let plain = NatsAccount::without_jetstream().await;
    let url = plain.url();
    for look in [&["--look-only"][..], &[]] {
        let arguments = [&["--nats", &url, "--nats-user", "ferry", "--format", "json"], look].concat();
        let environment = [("MONGOFERRY_NATS_PASSWORD", "s3cret")];
        let outcome = Outcome::with(&source.uri(), &destination.uri(), &arguments, &environment).await;
        let report: ValidationReport = serde_json::from_str(&outcome.stdout).expect("a report");
        let error = only_error(&report);
        assert_eq!((outcome.code, error.code.as_str()), (3, "MF-V21"));
        assert!(error.found.contains("JetStream"), "{error:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bus_with_narrow_limits_warns() {
    let (source, destination) = tokio::try_join!(ReplicaSet::single(), ReplicaSet::single()).expect("two replica sets");
    let narrow = NatsAccount::start(1_000_000, 65_536).await;
    // So many writes that the oplog of a copy needs more than the account may store.
    let shop = source.client().await.expect("a client").database("shop");
    let text = "x".repeat(100_000);
    shop.collection("orders").insert_many((0..100).map(|n| doc! {"_id": n, "text": &text})).await.expect("inserted");
    let url = narrow.url();
    let arguments = ["--nats", &url, "--nats-user", "ferry", "--format", "json"];
    let environment = [("MONGOFERRY_NATS_PASSWORD", "s3cret")];
    let outcome = Outcome::with(&source.uri(), &destination.uri(), &arguments, &environment).await;
    let report: ValidationReport = serde_json::from_str(&outcome.stdout).expect("a report");
    assert_eq!(outcome.code, 0, "{:#?}", troubles(&report));
    let warnings = troubles_of(&report, "MF-V21");
    assert_eq!(warnings.len(), 2, "{report:#?}");
    assert!(warnings[0].found.contains("64.0 KiB") && warnings[0].remedy.contains("max_payload"), "{warnings:#?}");
    assert!(warnings[1].found.contains("976.6 KiB") && warnings[1].remedy.contains("max_file"), "{warnings:#?}");
    assert!(passed(&report, "MF-V21").contains(&url), "{report:#?}");
}
