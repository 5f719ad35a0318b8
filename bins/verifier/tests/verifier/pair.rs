//! Two replica sets, seen as the user's application and as mongoferry see them.

use mongodb::Client;
use mongoferry_mongo::Cluster;
use mongoferry_testbed::{ReplicaSet, ReplicaSetBuilder};

pub struct Pair {
    pub source: Client,
    pub destination: Client,
    pub source_cluster: Cluster,
    pub destination_cluster: Cluster,
    pub source_set: ReplicaSet,
    pub destination_set: ReplicaSet,
}

impl Pair {
    pub async fn start() -> Self {
        Self::of(ReplicaSet::builder(), ReplicaSet::builder()).await
    }

    pub async fn of(source: ReplicaSetBuilder, destination: ReplicaSetBuilder) -> Self {
        let (source_set, destination_set) =
            tokio::try_join!(source.start(), destination.start()).expect("two replica sets");
        Self {
            source: source_set.client().await.expect("a client"),
            destination: destination_set.client().await.expect("a client"),
            source_cluster: Cluster::connect(&source_set.uri(), "test").await.expect("connected"),
            destination_cluster: Cluster::connect(&destination_set.uri(), "test").await.expect("connected"),
            source_set,
            destination_set,
        }
    }

    pub fn both(&self) -> [&Client; 2] {
        [&self.source, &self.destination]
    }
}
