//! What the crate promises, shown on real servers.

mod catalog;
mod copying;
mod dropping;
mod held_back;
mod indexes;
mod oplog;
mod refusals;
mod versions;

use bson::{Document, doc};
use mongodb::Client;
use mongoferry_mongo::Cluster;
use mongoferry_testbed::ReplicaSet;

/// A server, the crate's connection to it, and the user's own.
struct Server {
    set: ReplicaSet,
    cluster: Cluster,
    user: Client,
}

async fn server() -> Server {
    of_set(ReplicaSet::single().await.expect("a replica set")).await
}

async fn of_set(set: ReplicaSet) -> Server {
    let cluster = Cluster::connect(&set.uri(), "mongoferry-test").await.expect("connects");
    let user = set.client().await.expect("connects");
    Server { set, cluster, user }
}

impl Server {
    async fn run(&self, database: &str, command: Document) -> Document {
        self.user.database(database).run_command(command.clone()).await.unwrap_or_else(|e| panic!("{command}: {e}"))
    }

    async fn insert(&self, database: &str, collection: &str, documents: Vec<Document>) {
        let insert = doc! {"insert": collection, "documents": documents, "writeConcern": {"w": "majority"}};
        let reply = self.run(database, insert).await;
        assert!(!reply.contains_key("writeErrors"), "{reply}");
    }

    async fn count(&self, database: &str, collection: &str) -> i32 {
        self.run(database, doc! {"count": collection}).await.get_i32("n").expect("a number")
    }

    async fn end(self) {
        self.cluster.shutdown().await;
        self.user.shutdown().immediate(true).await;
        drop(self.set);
    }
}
