use std::path::Path;

use mongodb::bson::{Document, doc};
use mongoferry_protocol::{Phase, Report};
use mongoferry_tests::{Clusters, Migration, child_of, kill};

/// As they lie in the state directory.
fn reports(state: &Path) -> (Report, String) {
    let read = |name: &str| std::fs::read_to_string(state.join("state").join(name)).expect("is written");
    (serde_json::from_str(&read("report.json")).expect("is a report"), read("report.md"))
}

/// The timeline has every phase, when it was entered, and in that order.
fn assert_timeline(report: &Report, text: &str, road: &[Phase]) {
    let entered: Vec<Phase> = report.phases.iter().map(|stay| stay.phase).collect();
    let mut rest = entered.iter();
    assert!(road.iter().all(|phase| rest.any(|other| other == phase)), "{road:?} is not in {entered:?}");
    let times: Vec<u64> = report.phases.iter().map(|stay| stay.entered_at_ms).collect();
    assert!(times.is_sorted() && times[0] > 0, "{times:?}");
    let lines: Vec<&str> = text.lines().skip_while(|line| !line.starts_with("| phase | entered |")).skip(2).collect();
    for (line, phase) in lines.iter().zip(&entered) {
        assert!(line.starts_with(&format!("| {phase} | 20")) && line.contains(" UTC | "), "{line}");
    }
}

/// GIVEN a migration whose applier was killed on its way WHEN it fails at the cutover THEN both forms of the report tell the phases
/// with their times, what was survived and repeated, what differs, the code, and what to do.
#[tokio::test(flavor = "multi_thread")]
async fn a_failed_migration_has_a_whole_report() {
    let clusters = Clusters::seeded(1).await;
    let state = tempfile::tempdir().expect("a directory");
    let mut migration = Migration::between(&clusters, state.path()).start();
    migration.wait_for_phase(Phase::Ready).await;
    let killed = child_of(migration.pid(), "mongoferry-applier");
    kill(killed);
    migration.child("mongoferry-applier", Some(killed)).await;
    clusters.source_client().await.database("shop").collection("more").insert_one(doc! {"_id": 1}).await.expect("is");
    migration.until_in_step(&clusters).await;
    let copied = clusters.destination_client().await.database("shop").collection::<Document>("orders");
    copied.insert_one(doc! {"_id": "foreign"}).await.expect("is inserted");
    migration.wait_for_phase(Phase::Ready).await;
    migration.post("commit").await;
    assert_eq!(migration.end().await.code, Some(1));

    let (report, text) = reports(state.path());
    assert_eq!((report.phase, report.verification.as_str()), (Phase::Failed, "different"));
    assert_timeline(&report, &text, &[Phase::Created, Phase::Copying, Phase::Ready, Phase::Draining, Phase::Failed]);
    let applier = report.processes.iter().find(|role| role.role == "applier").expect("is told of");
    assert_eq!((applier.starts, applier.abrupt_ends), (2, 1), "{applier:?}");
    assert_eq!((report.difference_count, report.failures[0].code.as_str()), (1, "MF-CUTOVER-4"));
    assert!(report.write_downtime_ms.is_none() && report.finished_at_ms > report.started_at_ms);
    for part in [
        "**Not committed**: the migration is in phase failed.",
        "| documents copied again after an interruption |",
        "| changes read again and found applied |",
        "**Different**: 1 differences.",
        "foreign",
        "- applier: 2 starts; 1 ended without a word, as after a kill",
        "[MF-CUTOVER-4] stopped the migration:",
        "## Next steps",
    ] {
        assert!(text.contains(part), "{part} is not in:\n{text}");
    }
}

/// GIVEN a migration that is cancelled, once when it is ready and once before it began THEN both forms of the report tell the
/// phases with their times and what is left on the destination: an incomplete copy, or nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_migration_has_a_whole_report() {
    let clusters = Clusters::seeded(1).await;
    let state = tempfile::tempdir().expect("a directory");
    let mut unbegun = Migration::between(&clusters, state.path()).argument("--start=manual").start();
    unbegun.wait_for_phase(Phase::Created).await;
    unbegun.post("cancel").await;
    let outcome = unbegun.end().await;
    assert!(outcome.code == Some(0) && outcome.stderr.contains("no document was copied"), "{}", outcome.stderr);
    let (report, text) = reports(state.path());
    assert_timeline(&report, &text, &[Phase::Created, Phase::Cancelled]);
    assert!(text.contains("Nothing was begun") && !text.contains("incomplete copy"), "{text}");

    let state = tempfile::tempdir().expect("a directory");
    let mut migration = Migration::between(&clusters, state.path()).start();
    migration.wait_for_phase(Phase::Ready).await;
    migration.post("cancel").await;
    assert_eq!(migration.end().await.code, Some(0));
    let (report, text) = reports(state.path());
    assert_eq!((report.phase, report.verification.as_str()), (Phase::Cancelled, "not reached"));
    assert_timeline(&report, &text, &[Phase::Created, Phase::Copying, Phase::Ready, Phase::Cancelled]);
    assert!(report.documents_copied > 0 && report.failures.is_empty());
    assert!(text.contains("**Not committed**: the migration is in phase cancelled."), "{text}");
    assert!(text.contains("The destination holds an incomplete copy."), "{text}");
}
