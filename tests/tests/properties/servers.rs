//! A source, a destination and a bus, shared by one migration after the other.

use bson::doc;
use mongodb::Client;
use mongoferry_bus::{Bus, BusOptions};
use mongoferry_testbed::{MongodVersion, NatsServer, ReplicaSet};

use crate::operations::Release;

pub struct Servers {
    pub source: ReplicaSet,
    pub destination: ReplicaSet,
    /// The users' own connections.
    pub user: Client,
    pub retrying: Client,
    pub observer: Client,
    pub nats: NatsServer,
    pub versions: (MongodVersion, MongodVersion),
}

const NOT_OURS: [&str; 3] = ["admin", "config", "local"];

impl Servers {
    /// The source expires nothing, so that it is silent when its user is; the destination would do so every second, if it
    /// were told to.
    pub async fn start(source: MongodVersion, destination: MongodVersion) -> Self {
        let source_set = ReplicaSet::builder()
            .version(source)
            .parameter("enableTestCommands=1")
            .parameter("ttlMonitorEnabled=false")
            .start();
        let destination_set = ReplicaSet::builder().version(destination).parameter("ttlMonitorSleepSecs=1").start();
        let (source_set, destination_set) = tokio::join!(source_set, destination_set);
        let (source_set, destination_set) = (source_set.expect("a source"), destination_set.expect("a destination"));
        let user = source_set.client().await.expect("the source answers");
        let retrying = source_set.client().await.expect("the source answers");
        let observer = destination_set.client().await.expect("the destination answers");
        let nats = NatsServer::builder().start().await.expect("a bus");
        let versions = (source, destination);
        Self { source: source_set, destination: destination_set, user, retrying, observer, nats, versions }
    }

    /// Of the source.
    pub fn release(&self) -> Release {
        release_of(self.versions.0)
    }

    pub async fn bus(&self, id: &str) -> Bus {
        let options =
            BusOptions { url: self.nats.url(), user: None, password: None, credentials_file: None, replicas: 1 };
        Bus::connect(&options, &id.parse().expect("an id")).await.expect("the bus answers")
    }

    /// Leaves nothing of the last migration on either side.
    pub async fn clear(&self) {
        for client in [&self.user, &self.observer] {
            for database in client.list_database_names().await.expect("lists") {
                if !NOT_OURS.contains(&database.as_str()) {
                    client.database(&database).drop().await.expect("dropped");
                }
            }
        }
    }

    pub async fn expire_on_destination(&self, expire: bool) {
        let command = doc! { "setParameter": 1, "ttlMonitorEnabled": expire };
        self.observer.database("admin").run_command(command).await.expect("is set");
    }
}

pub fn release_of(version: MongodVersion) -> Release {
    let text = version.to_string();
    let mut numbers = text.split('.').map(|number| number.parse().expect("a number"));
    (numbers.next().expect("a major number"), numbers.next().expect("a minor number"))
}
