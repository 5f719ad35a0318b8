use mongodb::bson::{Document, doc};
use mongoferry_protocol::Phase;
use mongoferry_tests::{Clusters, Migration};
use serde_json::{Value, json};

/// GIVEN `--start manual` WHEN nothing is said THEN nothing is written, also behind a kill; WHEN it is validated and started,
/// twice, and killed again THEN it is one migration that goes on by itself.
#[tokio::test(flavor = "multi_thread")]
async fn a_migration_begins_when_it_is_told_to() {
    let clusters = Clusters::seeded(1).await;
    let state = tempfile::tempdir().expect("a directory");
    let mut migration = Migration::between(&clusters, state.path()).argument("--start=manual").start();
    migration.wait_for_phase(Phase::Created).await;
    assert_eq!(migration.get("progress").await["progress"]["state"], "IDLE");
    assert_eq!(migration.get("validation").await["error"], "MF-API-7");
    assert_eq!(migration.get("validations/1").await["error"], "MF-API-9");

    let job = validated(&mut migration).await;
    assert!(errors(&job).is_empty(), "{job}");
    assert_eq!(migration.get("validation").await, job["report"]);

    let mut migration = migration.kill_with_children_and_start_again().await;
    migration.wait_for_phase(Phase::Created).await;
    assert_eq!(migration.get("validations").await["validations"][0], job);
    let destination = clusters.destination_client().await;
    assert!(destination.database("shop").list_collection_names().await.expect("are listed").is_empty());

    for (body, code) in [
        (json!({"source": "cluster1", "destination": "cluster0"}), "MF-API-10"),
        (json!({"reversible": true}), "MF-API-10"),
        (json!({"sourec": "cluster0"}), "MF-API-5"),
    ] {
        assert_eq!(migration.post_with("start", &body).await["error"], code, "{body}");
    }
    assert_eq!(migration.status().await.expect("answers").phase, Phase::Created);
    let mongosyncs = json!({"source": "cluster0", "destination": "cluster1", "reversible": false});
    for _ in 0..2 {
        assert_eq!(migration.post_with("start", &mongosyncs).await, json!({"success": true, "error": null}));
    }
    let mut migration = migration.kill_with_children_and_start_again().await;
    migration.wait_for_phase(Phase::Ready).await;
    assert_eq!(migration.post("start").await["success"], true);
    // A migration under way may be validated too; what it copied itself does not stand in its way.
    let again = validated(&mut migration).await;
    assert!(errors(&again).is_empty(), "{again}");
    assert_ne!(again["id"], job["id"]);
    migration.post("commit").await;
    migration.end_committed().await;
    clusters.assert_equal().await;
}

/// GIVEN something in the way WHEN it is started all the same THEN it is refused with what was found, and once that is gone
/// `mongoferry start` validates by itself.
#[tokio::test(flavor = "multi_thread")]
async fn what_did_not_validate_does_not_start() {
    let clusters = Clusters::start().await;
    for client in [clusters.source_client().await, clusters.destination_client().await] {
        let things = client.database("shop").collection::<Document>("things");
        things.insert_one(doc! {"_id": 1}).await.expect("is inserted");
    }
    let state = tempfile::tempdir().expect("a directory");
    let mut migration = Migration::between(&clusters, state.path()).argument("--start=manual").start();
    migration.wait_for_phase(Phase::Created).await;
    let job = validated(&mut migration).await;
    assert_eq!(errors(&job), ["MF-V14"], "{job}");
    assert_eq!(migration.post("start").await["error"], "MF-COORD-5");

    let shop = clusters.destination_client().await.database("shop");
    shop.drop().await.expect("is dropped");
    assert!(errors(&validated(&mut migration).await).is_empty());
    let started = migration.command(&["start"]).await;
    assert!(started.status.success(), "{}", String::from_utf8_lossy(&started.stderr));
    migration.wait_for_phase(Phase::Ready).await;
    migration.post("commit").await;
    migration.end_committed().await;
    clusters.assert_equal().await;
}

/// Has it validated, and gives the job once it is done.
async fn validated(migration: &mut Migration) -> Value {
    migration.process("validator").await;
    let asked = migration.post("validations").await;
    let id = asked["id"].as_u64().unwrap_or_else(|| panic!("{asked}"));
    loop {
        let job = migration.get(&format!("validations/{id}")).await;
        if job["state"] == "done" {
            return job;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

fn errors(job: &Value) -> Vec<&str> {
    let findings = job["report"]["findings"].as_array().expect("findings are listed").iter();
    findings.filter(|finding| finding["severity"] == "error").filter_map(|finding| finding["code"].as_str()).collect()
}
