//! The two replica sets that everything runs against, and the meter that watches them.

use bson::{Document, doc};
use mongodb::Client;
use mongoferry_testbed::ReplicaSet;
use mongoferry_tests::Clusters;

use crate::{
    cost::{DESTINATION, LOOP, SOURCE},
    cpu_meter::CpuMeter,
};

/// Both hold the whole fixture, and the destination what the bare loops write beside it.
const CACHE_GIB: f64 = 2.0;
const OPLOG_MIB: u32 = 4_096;
/// Databases of the server itself.
const KEPT: [&str; 3] = ["admin", "config", "local"];

pub struct Servers {
    pub clusters: Clusters,
    pub source: Client,
    pub destination: Client,
    pub meter: CpuMeter,
}

impl Servers {
    pub async fn start() -> Self {
        let set = || ReplicaSet::builder().cache_gib(CACHE_GIB).oplog_mib(OPLOG_MIB).start();
        let (source, destination) = tokio::join!(set(), set());
        let clusters = Clusters {
            source: source.expect("the source starts"),
            destination: destination.expect("the destination starts"),
        };
        let (source, destination) = (clusters.source_client().await, clusters.destination_client().await);
        for client in [&source, &destination] {
            // The testbed's servers make a checkpoint each second; a user's make one a minute.
            admin(client, doc! { "setParameter": 1, "syncdelay": 60 }).await;
        }
        let meter = CpuMeter::start();
        meter.watch(clusters.source.member_pid(0).expect("runs"), SOURCE);
        meter.watch(clusters.destination.member_pid(0).expect("runs"), DESTINATION);
        meter.watch(std::process::id(), LOOP);
        Self { clusters, source, destination, meter }
    }

    /// Ends what earlier work left the servers to do, so that it is not taken for the next work's.
    pub async fn settle(&self) {
        tokio::join!(admin(&self.source, doc! { "fsync": 1 }), admin(&self.destination, doc! { "fsync": 1 }));
    }

    /// Removes everything from the destination.
    pub async fn wipe_destination(&self) {
        let databases = self.destination.list_database_names().await.expect("the destination answers");
        for database in databases.iter().filter(|name| !KEPT.contains(&name.as_str())) {
            self.destination.database(database).drop().await.expect("a database is dropped");
        }
        self.settle().await;
    }

    pub async fn shutdown(self) {
        self.source.shutdown().await;
        self.destination.shutdown().await;
        self.clusters.source.shutdown().await;
        self.clusters.destination.shutdown().await;
    }
}

async fn admin(client: &Client, command: Document) {
    client.database("admin").run_command(command).await.expect("the server obeys");
}
