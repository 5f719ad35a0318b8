use std::{path::Path, process::Command};

use mongodb::bson::{Document, doc, serialize_to_document};
use mongoferry_protocol::{Phase, ValidationReport};
use mongoferry_testbed::{ReplicaSet, SeedSize, assert_equal, seed};
use mongoferry_tests::{Clusters, Migration, binary, log_in_by_certificate};

const SOURCE_ROLES: [&str; 3] = ["backup", "readAnyDatabase", "clusterMonitor"];
const DESTINATION_ROLES: [&str; 3] = ["readWriteAnyDatabase", "dbAdminAnyDatabase", "clusterMonitor"];

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

/// A user with just one mechanism; the connection string names it.
async fn log_in_by_password(set: &ReplicaSet, name: &str, mechanism: &str, roles: &[&str]) -> String {
    let user = doc! {"pwd": "s3cret", "mechanisms": [mechanism], "roles": roles};
    set.create_user(name, user).await.expect("is created");
    format!("{}&authMechanism={mechanism}", set.uri_for(name, "s3cret"))
}

/// Two users who see what is there and nothing more, and then get just the roles that the validator's remedies create.
async fn log_in_with_printed_roles(clusters: &Clusters) -> (String, String) {
    let sides = [(&clusters.source, "mongoferrySource"), (&clusters.destination, "mongoferryDestination")];
    for (set, _) in sides {
        let user = doc! {"pwd": "s3cret", "roles": ["readAnyDatabase"]};
        set.create_user("printed", user).await.expect("is created");
    }
    let uris = sides.map(|(set, _)| set.uri_for("printed", "s3cret"));
    let mut validate = Command::new(binary("mongoferry"));
    validate.args(["validate", "--format=json", "--drop", "--confirm-destination=rs"]);
    let validate = validate.env("MONGOFERRY_SOURCE", &uris[0]).env("MONGOFERRY_DESTINATION", &uris[1]).output();
    let report: ValidationReport = serde_json::from_slice(&validate.expect("it starts").stdout).expect("a report");
    for (set, role) in sides {
        let finding = report.errors().find(|error| error.remedy.contains(role)).expect("a remedy");
        let admin = set.client().await.expect("answers").database("admin");
        admin.run_command(create_role(&finding.remedy)).await.expect("is created");
        admin.run_command(doc! {"grantRolesToUser": "printed", "roles": [role]}).await.expect("is granted");
    }
    let [source, destination] = uris;
    (source, destination)
}

/// The `createRole` command that a remedy prints.
fn create_role(remedy: &str) -> Document {
    let (_, behind) = remedy.split_once("createRole(").expect("a createRole command");
    let (role, _) = behind.split_once("); ").expect("its end");
    let role: serde_json::Value = serde_json::from_str(role).expect("pasteable");
    let mut role = serialize_to_document(&role).expect("a document");
    let name = role.remove("role").expect("a name");
    let mut command = doc! {"createRole": name};
    command.extend(role);
    command
}

async fn migrate(clusters: &Clusters, state: &Path, (source, destination): (String, String)) {
    let migration = Migration::between(clusters, state).source(&source).destination(&destination);
    let options = ["--cutover=auto", "--drop", "--confirm-destination=rs"];
    let migration = options.iter().fold(migration, |migration, option| migration.argument(option));
    let outcome = migration.start().end_committed().await;
    assert!(outcome.stdout.contains("**Equal**"), "{}", outcome.stdout);
    clusters.assert_equal().await;
}

/// GIVEN authentication, TLS and an authority of one's own on both sides THEN every way to log in, with exactly the roles
/// that are asked for, carries a whole migration; each drops what the one before it left.
#[tokio::test(flavor = "multi_thread")]
async fn every_way_to_log_in_carries_a_whole_migration() {
    let set = || {
        let mechanisms = "authenticationMechanisms=SCRAM-SHA-1,SCRAM-SHA-256,MONGODB-X509";
        ReplicaSet::builder().auth().tls().parameter(mechanisms).start()
    };
    let (source, destination) = tokio::join!(set(), set());
    let clusters = Clusters { source: source.expect("starts"), destination: destination.expect("starts") };
    seed::fill(&clusters.source_client().await, SeedSize { mib: 1 }).await.expect("the source is filled");
    let state = tempfile::tempdir().expect("a directory");

    let by_certificate = tokio::join!(
        log_in_by_certificate(&clusters.source, &SOURCE_ROLES),
        log_in_by_certificate(&clusters.destination, &DESTINATION_ROLES),
    );
    migrate(&clusters, &state.path().join("certificate"), by_certificate).await;

    let (old, new) = ("SCRAM-SHA-1", "SCRAM-SHA-256");
    let by_old_and_new = tokio::join!(
        log_in_by_password(&clusters.source, "old", old, &SOURCE_ROLES),
        log_in_by_password(&clusters.destination, "new", new, &DESTINATION_ROLES),
    );
    migrate(&clusters, &state.path().join("old-to-new"), by_old_and_new).await;

    // Without clusterMonitor on the source.
    let by_new_and_old = tokio::join!(
        log_in_by_password(&clusters.source, "new", new, &SOURCE_ROLES[..2]),
        log_in_by_password(&clusters.destination, "old", old, &DESTINATION_ROLES),
    );
    migrate(&clusters, &state.path().join("new-to-old"), by_new_and_old).await;

    let printed = log_in_with_printed_roles(&clusters).await;
    migrate(&clusters, &state.path().join("printed"), printed).await;
}

/// Every file below `directory`.
fn walk(directory: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(directory).expect("is a directory").flatten();
    let below = |path: std::path::PathBuf| if path.is_dir() { walk(&path) } else { vec![path] };
    entries.map(|entry| entry.path()).filter(|path| path.is_dir() || path.is_file()).flat_map(below).collect()
}
