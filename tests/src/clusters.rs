//! A source and a destination.

use std::num::NonZeroU32;

use mongodb::Client;
use mongoferry_testbed::{ReplicaSet, SeedSize, Workload, WorkloadOptions, assert_equal, seed};

pub struct Clusters {
    pub source: ReplicaSet,
    pub destination: ReplicaSet,
}

impl Clusters {
    /// Two replica sets of one member each.
    pub async fn start() -> Self {
        let (source, destination) = tokio::join!(ReplicaSet::single(), ReplicaSet::single());
        Self { source: source.expect("a source starts"), destination: destination.expect("a destination starts") }
    }

    /// The same with servers whose commands can be held back.
    pub async fn with_fail_points() -> Self {
        let set = || ReplicaSet::builder().parameter("enableTestCommands=1").start();
        let (source, destination) = tokio::join!(set(), set());
        Self { source: source.expect("a source starts"), destination: destination.expect("a destination starts") }
    }

    /// The same with about `mib` MiB of believable data on the source.
    pub async fn seeded(mib: u64) -> Self {
        let clusters = Self::start().await;
        seed::fill(&clusters.source_client().await, SeedSize { mib }).await.expect("the source is filled");
        clusters
    }

    pub async fn source_client(&self) -> Client {
        self.source.client().await.expect("the source answers")
    }

    pub async fn destination_client(&self) -> Client {
        self.destination.client().await.expect("the destination answers")
    }

    /// Users who write to the source until they are stopped.
    pub async fn workload(&self, operations_per_second: u32) -> Workload {
        let options =
            WorkloadOptions { operations_per_second: NonZeroU32::new(operations_per_second), ..Default::default() };
        Workload::start(self.source_client().await, options).await.expect("the workload starts")
    }

    /// Byte for byte, by a comparison that shares nothing with the product.
    pub async fn assert_equal(&self) {
        assert_equal(&self.source_client().await, &self.destination_client().await).await;
    }
}
