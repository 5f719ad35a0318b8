//! What the applier relies on, shown on real servers: lanes and their fence, and catalog changes that are done twice.

mod catalog_changes;
mod lanes;

use std::sync::Arc;

use bson::{Document, doc};
use mongodb::Client;
use mongoferry_mongo::{
    ApplierState, Beginning, Cluster, LaneCheckpoint, LaneWriter, MappedCollection, SourceDocuments, initialise,
};
use mongoferry_protocol::{
    ChangePosition, ClusterIdentity, CollectionUuid, CutoverMode, MigrationSettings, Namespace, Optime, StartPoint,
    WriteOrder,
};
use mongoferry_testbed::ReplicaSet;

const LANES: u32 = 2;

struct Server {
    set: ReplicaSet,
    cluster: Cluster,
    user: Client,
}

/// A destination on which the records stand, with these collections of the source.
async fn destination(collections: &[(CollectionUuid, &str)]) -> Server {
    let set = ReplicaSet::builder().parameter("enableTestCommands=1").start().await.expect("a replica set");
    let cluster = Cluster::connect(&set.uri(), "mongoferry-test").await.expect("connects");
    let user = set.client().await.expect("connects");
    let server = Server { set, cluster, user };
    server.initialise(collections).await;
    server
}

fn plain(namespace: Namespace) -> MappedCollection {
    MappedCollection { namespace, order: WriteOrder::ByDocument }
}

impl Server {
    async fn initialise(&self, collections: &[(CollectionUuid, &str)]) {
        let at = Optime::new(100, 1);
        let beginning = Beginning {
            start: StartPoint { capture_from: at, apply_after: at },
            collections: collections.iter().map(|(uuid, name)| (*uuid, plain(namespace(name)))).collect(),
            replay_until: Optime::new(200, 1),
        };
        initialise(&self.cluster, &settings(1), &beginning).await.expect("initialises");
    }

    async fn take_over(&self) -> (ApplierState, Vec<LaneWriter>) {
        // These tests read nothing there, but a server of this version is not taken without one.
        let source = Arc::new(SourceDocuments::new(Some(&self.set.uri()), "mongoferry-test"));
        ApplierState::take_over(&self.cluster, LANES, &source).await.expect("takes over")
    }

    async fn run(&self, database: &str, command: Document) -> Document {
        self.user.database(database).run_command(command.clone()).await.unwrap_or_else(|e| panic!("{command}: {e}"))
    }

    async fn documents(&self, database: &str, collection: &str) -> Vec<Document> {
        let reply = self.run(database, doc! {"find": collection, "sort": {"_id": 1}, "batchSize": 10_000}).await;
        let batch = reply.get_document("cursor").expect("a cursor").get_array("firstBatch").expect("a batch");
        batch.iter().map(|document| document.as_document().expect("a document").clone()).collect()
    }

    async fn collections(&self, database: &str) -> Vec<String> {
        let mut names = self.user.database(database).list_collection_names().await.expect("lists");
        names.sort();
        names
    }

    async fn end(self) {
        self.cluster.shutdown().await;
        self.user.shutdown().immediate(true).await;
        drop(self.set);
    }
}

fn settings(created_at_ms: u64) -> MigrationSettings {
    let cluster = ClusterIdentity {
        replica_set: "rs".into(),
        replica_set_id: None,
        hosts: vec!["a:1".into()],
        version: "6.0.5".into(),
    };
    MigrationSettings {
        id: "test".parse().expect("an id"),
        source: cluster.clone(),
        destination: cluster,
        cutover: CutoverMode::Manual,
        cutover_limit_ms: 600_000,
        verify: true,
        lanes: LANES,
        created_at_ms,
    }
}

fn namespace(name: &str) -> Namespace {
    name.parse().expect("a namespace")
}

fn uuid(number: u8) -> CollectionUuid {
    CollectionUuid::from_bytes([number; 16])
}

fn at(t: u32) -> LaneCheckpoint {
    LaneCheckpoint { position: ChangePosition::end_of(Optime::new(t, 1)), sequence: u64::from(t), wall_ms: 0 }
}
