use mongodb::bson::{Binary, doc, spec::BinarySubtype};
use mongoferry_protocol::{MigrationStatus, Phase};
use mongoferry_testbed::{NatsCluster, NatsServer, SeedSize, seed};
use mongoferry_tests::{Clusters, Migration, MigrationBuilder};

const MIB: u64 = 1024 * 1024;

fn warns(status: &MigrationStatus, code: &str) -> bool {
    status.warnings.iter().any(|warning| warning.code == code)
}

/// Bytes that no compression makes fewer.
fn noise(state: &mut u64, bytes: usize) -> Binary {
    let mut next = || {
        // xorshift64
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        *state as u8
    };
    Binary { subtype: BinarySubtype::Generic, bytes: (0..bytes).map(|_| next()).collect() }
}

fn on_bus(clusters: &Clusters, state: &std::path::Path, nats: &NatsServer) -> MigrationBuilder {
    let credentials = nats.credentials().expect("was given some");
    Migration::between(clusters, state)
        .argument(&format!("--nats={}", nats.url()))
        .argument(&format!("--nats-user={}", credentials.user))
        .environment("MONGOFERRY_NATS_PASSWORD", &credentials.password)
}

/// GIVEN a bus with little room, and a migration that is paused WHEN more is written than the bus takes THEN that is told
/// before and when it is so, the operator can still resume, and nothing is lost.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_bus_is_told_and_drained_again() {
    let clusters = Clusters::seeded(5).await;
    let nats = NatsServer::builder().credentials("ferry", "b7s").max_account_bytes(24 * MIB).start();
    let nats = nats.await.expect("nats-server starts");
    let state = tempfile::tempdir().expect("a directory");
    let mut migration = on_bus(&clusters, state.path(), &nats).start();
    migration.wait_for_phase(Phase::Ready).await;
    migration.post("pause").await;
    migration.wait_for_phase(Phase::Paused).await;
    let (client, mut random) = (clusters.source_client().await, 88_172_645_463_325_252);
    let noisy = client.database("noise").collection("noise");
    let mut written = 0;
    let mut write = async |mib: u64| {
        for _ in 0..4 * mib {
            written += 1;
            noisy.insert_one(doc! {"_id": written, "noise": noise(&mut random, 256 * 1024)}).await.expect("is written");
        }
    };
    write(10).await;
    migration.wait_for("the forecast", |status| warns(status, "MF-COORD-9")).await;
    write(20).await;
    migration.wait_for("the bus is full", |status| warns(status, "MF-COORD-8") || warns(status, "MF-BUS-6")).await;

    migration.post("resume").await;
    migration.until_in_step(&clusters).await;
    migration.wait_for("room", |status| !warns(status, "MF-COORD-8") && !warns(status, "MF-BUS-6")).await;
    migration.post("commit").await;
    migration.end_committed().await;
    clusters.assert_equal().await;
}

/// GIVEN three nats-servers that keep every stream together WHEN any one of them is killed, in the copy and after it, and comes
/// back THEN nothing changes.
#[tokio::test(flavor = "multi_thread")]
async fn the_loss_of_one_of_three_nats_servers_changes_nothing() {
    let clusters = Clusters::start().await;
    seed::fill(&clusters.source_client().await, SeedSize { mib: 20 }).await.expect("the source is filled");
    let mut nats = NatsCluster::start().await.expect("nats-servers start");
    nats.wait_ready().await.expect("they find one another");
    let workload = clusters.workload(100).await;
    let state = tempfile::tempdir().expect("a directory");
    let mut migration = Migration::between(&clusters, state.path())
        .argument(&format!("--nats={}", nats.urls()))
        .environment("MONGOFERRY_NATS_REPLICAS", "3")
        .environment("MONGOFERRY_COPIER_RANGE_MIB", "1")
        .start();
    migration.wait_for("the copy is under way", |status| status.phase == Phase::Copying && status.bytes > 0).await;
    nats.servers[0].kill();
    migration.wait_for_phase(Phase::Ready).await;
    nats.servers[0].restart().await.expect("comes back");
    nats.wait_ready().await.expect("it is taken in again");
    for lost in [1, 2] {
        nats.servers[lost].kill();
        migration.until_in_step(&clusters).await;
        nats.servers[lost].restart().await.expect("comes back");
        nats.wait_ready().await.expect("it is taken in again");
    }
    workload.stop().await.expect("the workload met no error");
    migration.until_in_step(&clusters).await;
    migration.wait_for("ready", |status| status.phase == Phase::Ready).await;
    migration.post("commit").await;
    migration.end_committed().await;
    clusters.assert_equal().await;
}
