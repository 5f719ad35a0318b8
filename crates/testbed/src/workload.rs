//! An application at work on the seeded databases: concurrent writers that use every kind of change until stopped.
//!
//! Promises: elections and lost connections are survived (each operation is tried again for a while), any other failure
//! ends the workload and is returned by `stop`; an operation is counted once it was acknowledged; on the way one
//! collection is created (with indexes and data), one renamed and one dropped.

mod arrays;
mod catalog_changes;
mod counts;
mod operation;
mod persist;
mod statements;
mod subjects;
mod transactions;
mod writer;

use std::{
    num::{NonZeroU32, NonZeroUsize},
    sync::Arc,
    time::Duration,
};

use mongodb::{Client, error::Result};
use rand::{SeedableRng, rngs::StdRng};
use tokio::{sync::watch, task::JoinSet};

use catalog_changes::CatalogChanges;
pub use counts::Counts;
use counts::Tally;
use subjects::Subjects;
use writer::Writer;

use crate::testbed_error::TestbedError;

const POLL: Duration = Duration::from_millis(20);

#[derive(Clone, Copy, Debug)]
pub struct WorkloadOptions {
    pub writers: NonZeroUsize,
    /// Of all writers together; as fast as the server answers if absent.
    pub operations_per_second: Option<NonZeroU32>,
    /// Where the writers' random states start; also part of the names of the collections that are created and renamed,
    /// so that a second workload on the same source wants another one.
    pub seed: u64,
}

impl Default for WorkloadOptions {
    fn default() -> Self {
        let writers = NonZeroUsize::new(4).expect("four is not zero");
        Self { writers, operations_per_second: None, seed: 1 }
    }
}

/// Ends without waiting when dropped; `stop` ends it between two operations.
pub struct Workload {
    writers: JoinSet<Result<()>>,
    stopping: Arc<watch::Sender<bool>>,
    tally: Arc<Tally>,
}

impl Workload {
    /// Starts writing; on return the writers are at work. An unseeded source gets a small seed first.
    pub async fn start(client: Client, options: WorkloadOptions) -> std::result::Result<Self, TestbedError> {
        let subjects = Arc::new(Subjects::find_or_seed(&client).await?);
        let mut changes = Some(CatalogChanges::prepare(&client, options.seed).await?);
        let (stopping, _) = watch::channel(false);
        let mut workload = Self { writers: JoinSet::new(), stopping: Arc::new(stopping), tally: Arc::default() };
        for number in 0..options.writers.get() as u64 {
            let writer = Writer {
                client: client.clone(),
                subjects: subjects.clone(),
                tally: workload.tally.clone(),
                rng: StdRng::seed_from_u64(options.seed.wrapping_mul(1_000_003).wrapping_add(number)),
                own_orders: Vec::new(),
                catalog_changes: changes.take(),
                pause: options.pause(),
            };
            workload.writers.spawn(writer.run(workload.stopping.clone()));
        }
        Ok(workload)
    }

    /// Acknowledged operations so far, by kind.
    pub fn counts(&self) -> Counts {
        self.tally.counts()
    }

    /// Until that many operations were acknowledged since the start, or the workload failed.
    pub async fn wait_for(&self, operations: u64) {
        while self.counts().total() < operations && !*self.stopping.borrow() {
            tokio::time::sleep(POLL).await;
        }
    }

    /// Lets each writer finish its operation; the first failure of any, if there was one.
    pub async fn stop(mut self) -> std::result::Result<Counts, TestbedError> {
        self.stopping.send_replace(true);
        while let Some(ended) = self.writers.join_next().await {
            ended.expect("a writer does not panic").map_err(TestbedError::database("write as an application"))?;
        }
        Ok(self.tally.counts())
    }
}

impl WorkloadOptions {
    /// Between two operations of one writer.
    fn pause(self) -> Option<Duration> {
        let rate = self.operations_per_second?.get();
        Some(Duration::from_secs_f64(self.writers.get() as f64 / f64::from(rate)))
    }
}
