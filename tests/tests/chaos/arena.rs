//! The servers that a run has for all its migrations.

use mongodb::bson::{Document, doc};
use mongoferry_testbed::{NatsServer, ProxyPort, ReplicaSet, SeedSize, seed};
use mongoferry_tests::{Clusters, HeldCommands};

use crate::fault::Side;

const SEED_MIB: u64 = 40;
/// The user whom the migration logs in as, on either side.
const USER: &str = "ferry";
const PASSWORD: &str = "p4ssw0rd-of-the-ferry";
const ROLE: &str = "root";
/// As the server says when its disk has no room.
const OUT_OF_DISK_SPACE: i32 = 14031;

pub struct Arena {
    pub clusters: Clusters,
    pub nats: NatsServer,
    pub nats_proxy: ProxyPort,
}

impl Arena {
    /// Two sets of three members behind proxies, with data on the source, and a bus behind one.
    pub async fn start() -> Self {
        let set = || ReplicaSet::builder().members(3).auth().behind_proxies().parameter("enableTestCommands=1").start();
        let (source, destination, nats) = tokio::join!(set(), set(), NatsServer::builder().start());
        let nats = nats.expect("nats-server starts");
        let nats_proxy = ProxyPort::start(nats.port()).await.expect("a proxy starts");
        let clusters = Clusters {
            source: source.expect("a source starts"),
            destination: destination.expect("a destination starts"),
        };
        for set in [&clusters.source, &clusters.destination] {
            set.create_user(USER, doc! {"pwd": PASSWORD, "roles": [ROLE]}).await.expect("is created");
        }
        seed::fill(&clusters.source_client().await, SeedSize { mib: SEED_MIB }).await.expect("the source is filled");
        Self { clusters, nats, nats_proxy }
    }

    pub fn set(&mut self, side: Side) -> &mut ReplicaSet {
        match side {
            Side::Source => &mut self.clusters.source,
            Side::Destination => &mut self.clusters.destination,
        }
    }

    /// The connection string of the migration.
    pub fn uri(&self, side: Side) -> String {
        match side {
            Side::Source => self.clusters.source.uri_for(USER, PASSWORD),
            Side::Destination => self.clusters.destination.uri_for(USER, PASSWORD),
        }
    }

    /// Whether the migration's user may do anything.
    pub async fn set_rights(&mut self, side: Side, given: bool) {
        let command = if given { "grantRolesToUser" } else { "revokeRolesFromUser" };
        self.administrate(side, doc! {command: USER, "roles": [ROLE]}).await;
    }

    /// Whether the migration's password is right.
    pub async fn set_password(&mut self, side: Side, right: bool) {
        let password = if right { PASSWORD } else { "another" };
        self.administrate(side, doc! {"updateUser": USER, "pwd": password}).await;
    }

    async fn administrate(&mut self, side: Side, command: Document) {
        let client = self.set(side).client().await.expect("the set answers");
        client.database("admin").run_command(command).await.expect("the administrator may");
    }

    /// A member that has ended by itself was ended by us or by a fault of the server: either has to be known.
    pub fn check_running(&mut self) {
        for side in [Side::Source, Side::Destination] {
            self.set(side).check_running().unwrap_or_else(|error| panic!("{error}"));
        }
    }

    /// Whether the destination has room for what is written there.
    pub async fn set_room(&self, room: bool) {
        for client in self.destination_members().await {
            let member = HeldCommands::on(&client);
            match room {
                true => member.release().await,
                false => member.fail_all(&["insert", "update", "delete", "createIndexes"], OUT_OF_DISK_SPACE).await,
            }
        }
    }

    /// Empties the destination for the next migration.
    pub async fn clear_destination(&self) {
        let client = self.clusters.destination_client().await;
        for name in client.list_database_names().await.expect("databases are listed") {
            if !["admin", "config", "local"].contains(&name.as_str()) {
                client.database(&name).drop().await.expect("is dropped");
            }
        }
    }

    /// Keeps the indexer from building indexes at the destination, which ever member leads it.
    /// Unique indexes are not prepared, so verifying does not end.
    pub async fn hold_preparation(&self) {
        for client in self.destination_members().await {
            HeldCommands::on(&client).hold("indexer", &["collMod"]).await;
        }
    }

    /// From now on; preparing goes on.
    pub async fn hold_index_builds(&self) {
        for client in self.destination_members().await {
            HeldCommands::on(&client).hold("indexer", &["createIndexes"]).await;
        }
    }

    pub async fn release_index_builds(&self) {
        for client in self.destination_members().await {
            HeldCommands::on(&client).release().await;
        }
    }

    async fn destination_members(&self) -> Vec<mongodb::Client> {
        let mut members = Vec::new();
        for index in 0..self.clusters.destination.member_count() {
            members.push(self.clusters.destination.client_of_member(index).await.expect("a member answers"));
        }
        members
    }

    /// The source's time now, in seconds: what is applied up to a later one was applied after this call.
    pub async fn source_time(&self) -> u32 {
        let admin = self.clusters.source_client().await.database("admin");
        let note = doc! {"appendOplogNote": 1, "data": {"chaos": "time"}};
        let reply = admin.run_command(note).await.expect("the source takes a note");
        reply.get_timestamp("operationTime").expect("a reply has a time").time
    }
}
