use mongodb::bson::{Document, doc};
use mongoferry_protocol::Phase;
use mongoferry_tests::{Clusters, Migration, child_of, kill};
use serde_json::Value;

/// GIVEN a migration under way WHEN another one is begun into the same destination, of another name and of the same, refused, and
/// cancelled THEN the first keeps its checkpoints, goes on behind a kill of its applier, and loses nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_second_migration_leaves_the_first_ones_records_alone() {
    let clusters = Clusters::seeded(1).await;
    let state = tempfile::tempdir().expect("a directory");
    let mut first = Migration::between(&clusters, state.path()).start();
    first.wait_for_phase(Phase::Ready).await;
    let own = clusters.destination_client().await.database("mongoferry");
    let marker = own.collection::<Document>("marker");
    let before = marker.find_one(doc! {}).await.expect("answers").expect("the destination is marked");

    for id in ["second", "default"] {
        let state = tempfile::tempdir().expect("a directory");
        let second = Migration::between(&clusters, state.path()).argument("--start=manual");
        let mut second = second.argument(&format!("--id={id}")).start();
        second.wait_for_phase(Phase::Created).await;
        if id == "second" {
            second.process("validator").await;
            second.post("validations").await;
            while !errors(&second.get("validation").await).contains(&"MF-V26".to_owned()) {
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        }
        let cancelled = second.command(&["cancel", "--yes"]).await;
        assert!(cancelled.status.success(), "{cancelled:?}");
        assert_eq!(second.end().await.code, Some(0));
        assert_eq!(marker.find_one(doc! {}).await.expect("answers"), Some(before.clone()), "{id}");
    }

    clusters.workload(200).await.stop().await.expect("the workload met no error");
    kill(child_of(first.pid(), "mongoferry-applier"));
    first.until_in_step(&clusters).await;
    first.wait_for_phase(Phase::Ready).await;
    first.post("commit").await;
    first.end_committed().await;
    clusters.assert_equal().await;
    let names = clusters.destination_client().await.list_database_names().await.expect("answers");
    assert!(!names.contains(&"mongoferry".to_owned()), "{names:?}");
}

/// Of the last validation, if there was one.
fn errors(validation: &Value) -> Vec<String> {
    let findings = validation["findings"].as_array().cloned().unwrap_or_default();
    let errors = findings.into_iter().filter(|finding| finding["severity"] == "error");
    errors.filter_map(|finding| finding["code"].as_str().map(str::to_owned)).collect()
}
