use mongodb::{
    Client,
    bson::{Document, doc},
};
use mongoferry_protocol::{MigrationStatus, Phase};
use mongoferry_testbed::{ProxyMode, ReplicaSet, SeedSize, seed};
use mongoferry_tests::{Clusters, HeldCommands, Migration, MigrationBuilder, child_of, kill};
use serde_json::json;

const USER_WRITES_BLOCKED: i32 = 371;

/// Two sets with login, an application on each, and users of the migration's that may block and, on the destination, pass.
struct Guarded {
    clusters: Clusters,
    source: String,
    destination: String,
    application: Client,
    intruder: Client,
}

async fn guarded() -> Guarded {
    let set = || ReplicaSet::builder().auth().behind_proxies().parameter("enableTestCommands=1").start();
    let (source, destination) = tokio::join!(set(), set());
    let clusters = Clusters { source: source.expect("starts"), destination: destination.expect("starts") };
    seed::fill(&clusters.source_client().await, SeedSize { mib: 1 }).await.expect("the source is filled");
    let blocks = ["setUserWriteBlockMode"];
    let source = user(&clusters.source, &blocks, &["backup", "readAnyDatabase", "clusterMonitor"]).await;
    let roles = ["readWriteAnyDatabase", "dbAdminAnyDatabase", "clusterMonitor"];
    let passes = ["setUserWriteBlockMode", "bypassWriteBlockingMode"];
    let destination = user(&clusters.destination, &passes, &roles).await;
    let (application, intruder) = (application(&clusters.source).await, application(&clusters.destination).await);
    Guarded { clusters, source, destination, application, intruder }
}

async fn user(set: &ReplicaSet, actions: &[&str], roles: &[&str]) -> String {
    let admin = set.client().await.expect("answers").database("admin");
    let privilege = doc! {"resource": {"cluster": true}, "actions": actions};
    let role = doc! {"createRole": "blocker", "privileges": [privilege], "roles": roles};
    admin.run_command(role).await.expect("is created");
    set.create_user("ferry", doc! {"pwd": "ferry", "roles": ["blocker"]}).await.expect("is created");
    set.uri_for("ferry", "ferry")
}

async fn application(set: &ReplicaSet) -> Client {
    set.create_user("shop", doc! {"pwd": "shop", "roles": ["readWriteAnyDatabase"]}).await.expect("is created");
    Client::with_uri_str(set.uri_for("shop", "shop")).await.expect("connects")
}

impl Guarded {
    fn migration(&self, state: &std::path::Path) -> Migration {
        self.builder(state).start()
    }

    fn builder(&self, state: &std::path::Path) -> MigrationBuilder {
        Migration::between(&self.clusters, state).source(&self.source).destination(&self.destination)
    }
}

async fn write(client: &Client, id: &str) -> Result<(), i32> {
    let orders = client.database("shop").collection::<Document>("orders_of_the_test");
    match orders.insert_one(doc! {"_id": id}).await.map_err(|error| *error.kind) {
        Ok(_) => Ok(()),
        Err(mongodb::error::ErrorKind::Write(mongodb::error::WriteFailure::WriteError(error))) => Err(error.code),
        Err(mongodb::error::ErrorKind::Command(error)) => Err(error.code),
        Err(other) => panic!("{other}"),
    }
}

fn blocked(status: &MigrationStatus) -> Vec<&str> {
    status.write_blocks.iter().map(|block| block.cluster.as_str()).collect()
}

fn commit() -> serde_json::Value {
    json!({"blockWrites": true})
}

/// GIVEN an application that goes on writing to the source WHEN the operator lets mongoferry block it THEN nobody else writes to
/// the destination before the commit, no write to the source is lost, the source stays blocked, and the report says how to lift it.
#[tokio::test(flavor = "multi_thread")]
async fn writes_are_blocked_instead_of_being_stopped() {
    let guarded = guarded().await;
    let state = tempfile::tempdir().expect("a directory");
    let mut migration = guarded.migration(state.path());
    let ready = migration.wait_for_phase(Phase::Ready).await;
    assert_eq!(blocked(&ready), ["destination"], "{ready:#?}");
    assert!(ready.warnings.iter().all(|warning| warning.code != "MF-COORD-10"), "{:?}", ready.warnings);
    assert_eq!(write(&guarded.intruder, "foreign").await, Err(USER_WRITES_BLOCKED));
    let told = migration.wait_for("a prediction", |status| status.predicted_downtime_ms.is_some()).await;
    assert!(!told.predicted_parts.is_empty(), "{told:?}");

    let application = guarded.application.clone();
    let writing = tokio::spawn(async move {
        let mut written = 0_u32;
        loop {
            match write(&application, &format!("order {written}")).await {
                Ok(()) => written += 1,
                Err(code) => return (written, code),
            }
        }
    });
    let cutover = migration.command(&["cutover", "--block-writes", "--yes"]).await;
    let said = String::from_utf8_lossy(&cutover.stderr).into_owned();
    assert!(cutover.status.success() && said.contains("predicted write downtime"), "{said}");
    let (written, code) = writing.await.expect("no panic");
    assert!(written > 0 && code == USER_WRITES_BLOCKED, "{written} {code}");
    let outcome = migration.end_committed().await;
    assert!(outcome.stdout.contains("setUserWriteBlockMode: 1, global: false"), "{}", outcome.stdout);
    guarded.clusters.assert_equal().await;
    assert_eq!(write(&guarded.application, "late").await, Err(USER_WRITES_BLOCKED));
    assert_eq!(write(&guarded.intruder, "by then welcome").await, Ok(()));
}

/// GIVEN a source that is blocked for a cutover WHEN the cutover is taken back, the coordinator is killed, or mongoferry is stopped
/// THEN users of the source can write again, or the cutover goes on.
#[tokio::test(flavor = "multi_thread")]
async fn no_block_of_the_source_outlives_its_cutover() {
    let guarded = guarded().await;
    let state = tempfile::tempdir().expect("a directory");
    let mut migration = guarded.migration(state.path());
    migration.wait_for_phase(Phase::Ready).await;

    let (source, destination) = (guarded.clusters.source_client().await, guarded.clusters.destination_client().await);
    let mut session = guarded.application.start_session().await.expect("begins");
    session.start_transaction().await.expect("begins");
    let orders = guarded.application.database("shop").collection::<Document>("orders");
    orders.insert_one(doc! {"_id": "in a transaction"}).session(&mut session).await.expect("is inserted");
    migration.post_with("commit", &commit()).await;
    let reverted = migration.wait_for("is taken back", |status| taken_back(status, "could not be blocked")).await;
    assert_eq!(blocked(&reverted), ["destination"]);
    session.commit_transaction().await.expect("is committed");
    assert_eq!(write(&guarded.application, "after a transaction").await, Ok(()));

    let held = HeldCommands::on(&source);
    held.hold("cutover-coordinator", &["appendOplogNote"]).await;
    migration.wait_for_phase(Phase::Ready).await;
    migration.post_with("commit", &commit()).await;
    migration.wait_for("a blocked source", |status| blocked(status).contains(&"source")).await;
    assert_eq!(write(&guarded.application, "in the cutover").await, Err(USER_WRITES_BLOCKED));
    let mut migration = migration.stop_and_start_again().await;
    assert_eq!(write(&guarded.application, "after the stop").await, Ok(()));
    migration.wait_for("is taken back", |status| taken_back(status, "was stopped")).await;
    held.release().await;

    let held = HeldCommands::on(&destination);
    held.hold("indexer", &["collMod"]).await;
    migration.wait_for_phase(Phase::Ready).await;
    migration.post_with("commit", &commit()).await;
    migration.wait_for_phase(Phase::Verifying).await;
    kill(child_of(migration.pid(), "mongoferry-cutover-coordinator"));
    migration.wait_for("a blocked source", |status| blocked(status).contains(&"source")).await;
    held.release().await;
    migration.end_committed().await;
    guarded.clusters.assert_equal().await;
    assert_eq!(write(&guarded.application, "after the commit").await, Err(USER_WRITES_BLOCKED));
}

fn taken_back(status: &MigrationStatus, why: &str) -> bool {
    let is_it = |code: &str, message: &str| code == "MF-CUTOVER-3" && message.contains(why);
    status.warnings.iter().any(|warning| is_it(&warning.code, &warning.message))
}

/// GIVEN clusters on which writes can't be blocked THEN that is told, by a warning for the destination, and for the source as the
/// refusal of a cutover that would rely on it; WHEN the migration is cancelled THEN no block stays behind.
#[tokio::test(flavor = "multi_thread")]
async fn where_writes_can_not_be_blocked_it_is_told() {
    let guarded = guarded().await;
    guarded
        .clusters
        .source
        .create_user("reader", doc! {"pwd": "r", "roles": ["readAnyDatabase", "clusterMonitor"]})
        .await
        .expect("is created");
    let state = tempfile::tempdir().expect("a directory");
    let lesser = guarded.clusters.source.uri_for("reader", "r");
    let migration =
        Migration::between(&guarded.clusters, state.path()).source(&lesser).destination(&guarded.destination);
    let mut migration = migration.start();
    migration.wait_for_phase(Phase::Ready).await;
    let refused = migration.post_with("commit", &commit()).await;
    assert_eq!(refused["error"], "MF-CUTOVER-8", "{refused}");
    assert_eq!(migration.status().await.expect("answers").phase, Phase::Ready);
    migration.post("cancel").await;
    assert_eq!(migration.end().await.code, Some(0));
    assert_eq!(write(&guarded.intruder, "after the cancellation").await, Ok(()));

    let open = Clusters::seeded(1).await;
    open.destination_client()
        .await
        .database("others")
        .collection("work")
        .insert_one(doc! {"_id": 1})
        .await
        .expect("is inserted");
    let state = tempfile::tempdir().expect("a directory");
    let mut migration = Migration::between(&open, state.path()).start();
    let told =
        migration.wait_for("a warning", |status| status.warnings.iter().any(|told| told.code == "MF-COORD-10")).await;
    let warning = told.warnings.iter().find(|told| told.code == "MF-COORD-10").expect("was found");
    assert!(warning.message.contains("others.work") && told.write_blocks.is_empty(), "{warning:?}");
}

/// GIVEN a cutover with the source blocked that does not get on WHEN its limit is over THEN it is taken back, which is told with that
/// limit, and the block is lifted; WHEN it gets on at the next attempt THEN it is committed.
#[tokio::test(flavor = "multi_thread")]
async fn a_cutover_that_is_held_is_taken_back_by_its_limit() {
    let guarded = guarded().await;
    let state = tempfile::tempdir().expect("a directory");
    let mut migration = guarded.builder(state.path()).argument("--cutover-limit=15s").start();
    migration.wait_for_phase(Phase::Ready).await;
    let destination = guarded.clusters.destination_client().await;
    let held = HeldCommands::on(&destination);
    held.hold("indexer", &["collMod"]).await;
    let cutover = migration.command(&["cutover", "--block-writes", "--yes"]).await;
    let said = String::from_utf8_lossy(&cutover.stderr).into_owned();
    assert!(cutover.status.code() == Some(1) && said.contains("it was not done within 15 seconds"), "{said}");
    let reverted = migration.wait_for("is told", |status| taken_back(status, "not done within 15 seconds")).await;
    assert_eq!(blocked(&reverted), ["destination"]);
    assert_eq!(write(&guarded.application, "after the limit").await, Ok(()));
    held.release().await;
    migration.wait_for_phase(Phase::Ready).await;
    migration.post_with("commit", &commit()).await;
    migration.end_committed().await;
    guarded.clusters.assert_equal().await;
}

/// GIVEN a cutover with the source blocked WHEN the destination goes away and mongoferry is stopped THEN users of the source can write
/// at once; WHEN both are back THEN the cutover is taken back.
#[tokio::test(flavor = "multi_thread")]
async fn users_write_again_though_the_destination_is_away() {
    let guarded = guarded().await;
    let state = tempfile::tempdir().expect("a directory");
    let mut migration = guarded.migration(state.path());
    migration.wait_for_phase(Phase::Ready).await;
    let destination = guarded.clusters.destination.client_of_member(0).await.expect("answers");
    let held = HeldCommands::on(&destination);
    held.hold("indexer", &["collMod"]).await;
    migration.post_with("commit", &commit()).await;
    migration.wait_for_phase(Phase::Verifying).await;
    guarded.clusters.destination.proxy(0).set(ProxyMode::BlackHole);
    let again = migration.stop_and_start_again().await;
    assert_eq!(write(&guarded.application, "after the stop").await, Ok(()));
    drop(again);
    guarded.clusters.destination.proxy(0).set(ProxyMode::Pass);
    held.release().await;
    let mut migration = guarded.migration(state.path());
    migration.wait_for("is taken back", |status| status.warnings.iter().any(|told| told.code == "MF-CUTOVER-3")).await;
    migration.wait_for_phase(Phase::Ready).await;
    migration.post("commit").await;
    migration.end_committed().await;
    guarded.clusters.assert_equal().await;
}

/// GIVEN a cutover with the source blocked WHEN the source goes away and the operator cancels THEN that is done, and every end says
/// what stays blocked and how to lift it; WHEN the same command is started once the source is back THEN it lifts the block.
#[tokio::test(flavor = "multi_thread")]
async fn a_block_that_outlived_a_cancellation_is_told_and_lifted_by_a_start() {
    let guarded = guarded().await;
    let state = tempfile::tempdir().expect("a directory");
    let mut migration = guarded.migration(state.path());
    migration.wait_for_phase(Phase::Ready).await;
    let source = guarded.clusters.source.client_of_member(0).await.expect("answers");
    let held = HeldCommands::on(&source);
    held.hold("cutover-coordinator", &["appendOplogNote"]).await;
    migration.post_with("commit", &commit()).await;
    migration.wait_for("a blocked source", |status| blocked(status).contains(&"source")).await;
    guarded.clusters.source.proxy(0).set(ProxyMode::Refuse);
    migration.wait_for("the source is away", |status| !status.outages.is_empty()).await;
    let lift = "the source refuses the writes of users; to lift it there: db.adminCommand(";
    let cancelled = migration.command(&["cancel", "--yes"]).await;
    let said = String::from_utf8_lossy(&cancelled.stderr).into_owned();
    assert!(cancelled.status.success() && said.contains(lift), "{said}");
    let outcome = migration.end().await;
    assert!(outcome.code == Some(0) && outcome.stderr.contains(lift), "{}", outcome.stderr);

    guarded.clusters.source.proxy(0).set(ProxyMode::Pass);
    held.release().await;
    assert_eq!(write(&guarded.application, "before the start").await, Err(USER_WRITES_BLOCKED));
    let outcome = guarded.migration(state.path()).end().await;
    let lifted = outcome.stderr.contains("the writes of users are no longer blocked");
    assert!(outcome.code == Some(2) && lifted && outcome.stderr.contains("MF-STATE-9"), "{}", outcome.stderr);
    assert_eq!(write(&guarded.application, "after the start").await, Ok(()));
    let outcome = guarded.migration(state.path()).end().await;
    assert!(outcome.code == Some(2) && !outcome.stderr.contains("blocked"), "{}", outcome.stderr);
}
