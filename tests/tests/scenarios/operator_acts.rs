use mongodb::{Client, bson::doc};
use mongoferry_protocol::{MigrationStatus, Phase};
use mongoferry_testbed::{ReplicaSet, SeedSize, seed};
use mongoferry_tests::{Clusters, HeldCommands, Migration, child_of, kill};

const PASSWORD: &str = "p4ssw0rd-of-the-ferry";
/// As the server says when its disk has no room.
const OUT_OF_DISK_SPACE: i32 = 14031;

async fn user(set: &ReplicaSet, roles: &[&str]) -> String {
    set.create_user("ferry", doc! {"pwd": PASSWORD, "roles": roles}).await.expect("is created");
    set.uri_for("ferry", PASSWORD)
}

async fn admin(client: &Client, command: mongodb::bson::Document) {
    client.database("admin").run_command(command).await.expect("the administrator may");
}

/// That nobody is kept from writing to the destination is always told where it is so.
fn nothing_is_wrong(status: &MigrationStatus) -> bool {
    status.warnings.iter().all(|warning| warning.code == "MF-COORD-10")
}

async fn until_told(migration: &mut Migration, code: &str) {
    let told = |status: &MigrationStatus| status.warnings.iter().any(|warning| warning.code == code);
    let status = migration.wait_for(code, told).await;
    let warning = status.warnings.iter().find(|warning| warning.code == code).expect("was found");
    assert!(!warning.hint.is_empty(), "{warning:?}");
    let screen = migration.command(&["status"]).await;
    let screen = String::from_utf8_lossy(&screen.stdout).into_owned();
    assert!(screen.contains(&format!("[{code}]")), "{screen}");
}

/// GIVEN a migration that is in step WHEN the destination takes no writes or has no room, the source's user loses its rights, or a
/// password is changed THEN the migration waits, says by a code what to do, and goes on by itself once that is done.
#[tokio::test(flavor = "multi_thread")]
async fn what_an_operator_must_mend_is_told_and_waited_for() {
    let set = || ReplicaSet::builder().auth().parameter("enableTestCommands=1").start();
    let (source, destination) = tokio::join!(set(), set());
    let (source, destination) = (source.expect("a source starts"), destination.expect("a destination starts"));
    let clusters = Clusters { source, destination };
    let (at_source, at_destination) = (clusters.source_client().await, clusters.destination_client().await);
    seed::fill(&at_source, SeedSize { mib: 5 }).await.expect("the source is filled");
    let source_uri = user(&clusters.source, &["readAnyDatabase", "clusterMonitor"]).await;
    let roles = ["readWriteAnyDatabase", "dbAdminAnyDatabase", "clusterMonitor"];
    let destination_uri = user(&clusters.destination, &roles).await;
    let state = tempfile::tempdir().expect("a directory");
    let mut migration =
        Migration::between(&clusters, state.path()).source(&source_uri).destination(&destination_uri).start();
    migration.wait_for_phase(Phase::Ready).await;
    let workload = clusters.workload(100).await;

    admin(&at_destination, doc! {"setUserWriteBlockMode": 1, "global": true}).await;
    until_told(&mut migration, "MF-MONGO-11").await;
    admin(&at_destination, doc! {"setUserWriteBlockMode": 1, "global": false}).await;
    migration.until_in_step(&clusters).await;

    let server = HeldCommands::on(&at_destination);
    server.fail("applier", &["insert", "update", "delete", "bulkWrite"], OUT_OF_DISK_SPACE).await;
    until_told(&mut migration, "MF-MONGO-10").await;
    let held = |status: &MigrationStatus| status.held.as_ref().is_some_and(|held| held.code == "MF-MONGO-10");
    migration.wait_for("it is held", held).await;
    let screen = migration.command(&["status"]).await;
    let screen = String::from_utf8_lossy(&screen.stdout).into_owned();
    assert!(screen.starts_with("HELD for ") && screen.contains("[MF-MONGO-10]"), "{screen}");
    server.release().await;
    migration.until_in_step(&clusters).await;

    admin(&at_source, doc! {"revokeRolesFromUser": "ferry", "roles": ["readAnyDatabase", "clusterMonitor"]}).await;
    until_told(&mut migration, "MF-MONGO-4").await;
    admin(&at_source, doc! {"grantRolesToUser": "ferry", "roles": ["readAnyDatabase", "clusterMonitor"]}).await;
    migration.until_in_step(&clusters).await;

    // Connections that stand are not asked for the password again.
    admin(&at_destination, doc! {"updateUser": "ferry", "pwd": "another"}).await;
    kill(child_of(migration.pid(), "mongoferry-applier"));
    until_told(&mut migration, "MF-MONGO-3").await;
    admin(&at_destination, doc! {"updateUser": "ferry", "pwd": PASSWORD}).await;
    migration.until_in_step(&clusters).await;

    workload.stop().await.expect("the workload met no error");
    migration.wait_for("nothing is wrong any more", |status| nothing_is_wrong(status) && status.gap_closed).await;
    migration.post("commit").await;
    migration.end_committed().await;
    clusters.assert_equal().await;
}
