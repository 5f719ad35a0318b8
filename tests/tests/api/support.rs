use std::{collections::BTreeMap, fs::File, io::Read, path::Path};

use flate2::read::GzDecoder;
use mongodb::bson::{Document, doc};
use mongoferry_protocol::Phase;
use mongoferry_testbed::ReplicaSet;
use mongoferry_tests::{Clusters, Migration, binary};
use tokio::process::Command;

const PASSWORD: &str = "s3cret-of-the-reader";
const VALUE: &str = "somebody@example.com";

/// GIVEN a migration with a password and a document that differs, named in the status WHEN a bundle is made, while it runs and
/// once it is stopped THEN it has status, report, checks, logs and versions, and neither of the two.
#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_says_all_but_secrets_and_values() {
    let (source, destination) = tokio::join!(ReplicaSet::builder().auth().start(), ReplicaSet::single());
    let clusters = Clusters { source: source.expect("starts"), destination: destination.expect("starts") };
    let things = clusters.source_client().await.database("shop").collection::<Document>("things");
    things.insert_one(doc! {"_id": VALUE, "n": 1}).await.expect("is inserted");
    let reader = doc! {"pwd": PASSWORD, "roles": ["backup", "readAnyDatabase", "clusterMonitor"]};
    clusters.source.create_user("reader", reader).await.expect("is created");
    let state = tempfile::tempdir().expect("a directory");
    let mut migration =
        Migration::between(&clusters, state.path()).source(&clusters.source.uri_for("reader", PASSWORD)).start();
    migration.wait_for_phase(Phase::Ready).await;
    let copied = clusters.destination_client().await.database("shop").collection::<Document>("things");
    copied.update_one(doc! {}, doc! {"$set": {"n": 2}}).await.expect("is broken");
    let differs = |status: &mongoferry_protocol::MigrationStatus| {
        let ahead = status.verified_ahead.as_ref();
        ahead.is_some_and(|ahead| {
            ahead.differing.iter().any(|one| one.item.as_ref().is_some_and(|id| id.contains(VALUE)))
        })
    };
    migration.wait_for("the difference", differs).await;

    let (output, directory) = (state.path().join("running.tar.gz"), state.path().join("state"));
    let arguments =
        ["support", "--output", output.to_str().expect("is text"), "--state-dir", directory.to_str().expect("is text")];
    let made = migration.command(&arguments).await;
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let bundle = unpacked(&output);
    let status: mongoferry_protocol::MigrationStatus =
        serde_json::from_str(&bundle["coordinator/status.json"]).expect("is a status still");
    assert_eq!((status.phase, status.collections[0].namespace.as_str()), (Phase::Ready, "shop.things"));
    for name in
        ["coordinator/report.json", "coordinator/validation.json", "coordinator/metrics.txt", "state/state.json"]
    {
        assert!(bundle[name].len() > 100, "{name}: {}", bundle[name]);
    }
    assert!(bundle["logs/copier-1.log"].contains("started"));
    assert!(bundle["versions.txt"].contains("mongoferry-applier 0."), "{}", bundle["versions.txt"]);
    assert_discreet(&bundle);

    let address = migration.api_address().to_owned();
    mongoferry_tests::stop(migration.pid());
    assert_eq!(migration.end().await.code, Some(130));
    let output = state.path().join("stopped.tar.gz");
    let mut again = Command::new(binary("mongoferry"));
    again.args(["support", "--api", &address]).arg("--state-dir").arg(&directory).arg("--output").arg(&output);
    // As it is set where the migration was started.
    again.env("MONGOFERRY_SOURCE", clusters.source.uri_for("reader", PASSWORD));
    let made = again.output().await.expect("it starts");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    assert!(String::from_utf8_lossy(&made.stderr).contains("coordinator/status.json: no coordinator answers"));
    let bundle = unpacked(&output);
    assert!(bundle["state/status.json"].contains("shop.things") && bundle["logs/applier-1.log"].contains("started"));
    assert!(bundle["environment.txt"].contains("MONGOFERRY_SOURCE=mongodb://"), "{}", bundle["environment.txt"]);
    assert_discreet(&bundle);
}

fn assert_discreet(bundle: &BTreeMap<String, String>) {
    for (name, text) in bundle {
        assert!(!text.contains(PASSWORD) && !text.contains(VALUE), "{name}: {text}");
    }
}

/// Texts by name.
fn unpacked(path: &Path) -> BTreeMap<String, String> {
    let mut archive = tar::Archive::new(GzDecoder::new(File::open(path).expect("was written")));
    let entries = archive.entries().expect("is an archive").map(|entry| {
        let mut entry = entry.expect("is whole");
        let name = entry.path().expect("has a name").to_string_lossy().into_owned();
        let mut text = String::new();
        entry.read_to_string(&mut text).expect("is text");
        (name.strip_prefix("mongoferry-support/").expect("lies in a directory").to_owned(), text)
    });
    entries.collect()
}
