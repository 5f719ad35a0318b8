//! One of the application's threads: choose, do until acknowledged, count.

use std::{sync::Arc, time::Duration};

use bson::{Bson, Document};
use mongodb::{Client, Collection, error::Result};
use rand::rngs::StdRng;
use tokio::{
    sync::watch,
    time::{Interval, MissedTickBehavior},
};

use super::{CatalogChanges, Subjects, Tally, operation::Operation};

/// Catalog changes come after each so many operations of the one writer that makes them.
const OPERATIONS_BETWEEN_CATALOG_CHANGES: u64 = 10;

pub(super) struct Writer {
    pub(super) client: Client,
    pub(super) subjects: Arc<Subjects>,
    pub(super) tally: Arc<Tally>,
    pub(super) rng: StdRng,
    /// Orders that this writer inserted and did not delete yet.
    pub(super) own_orders: Vec<Bson>,
    /// One writer has them.
    pub(super) catalog_changes: Option<CatalogChanges>,
    pub(super) pause: Option<Duration>,
}

impl Writer {
    /// Until told to stop. A failure stops the other writers too.
    pub(super) async fn run(mut self, stopping: Arc<watch::Sender<bool>>) -> Result<()> {
        let ended = self.write(stopping.subscribe()).await;
        if ended.is_err() {
            stopping.send_replace(true);
        }
        ended
    }

    async fn write(&mut self, mut stopping: watch::Receiver<bool>) -> Result<()> {
        let mut pace = self.pause.map(paced);
        for done in 0_u64.. {
            tokio::select! {
                biased;
                _ = stopping.wait_for(|stopping| *stopping) => break,
                () = next_turn(&mut pace) => {}
            }
            if done % OPERATIONS_BETWEEN_CATALOG_CHANGES == OPERATIONS_BETWEEN_CATALOG_CHANGES - 1 {
                self.change_catalog().await?;
            }
            let operation = Operation::choose(&mut self.rng);
            self.perform(operation).await?;
            self.tally.add(operation);
        }
        Ok(())
    }

    async fn perform(&mut self, operation: Operation) -> Result<()> {
        match operation {
            Operation::Insert => self.insert().await,
            Operation::Update => self.update().await,
            Operation::ArrayChange => self.change_array().await,
            Operation::Replacement => self.replace().await,
            Operation::Delete => self.delete().await,
            Operation::Transaction => self.place_order().await,
            Operation::Swap => self.swap_emails().await,
        }
    }

    async fn change_catalog(&mut self) -> Result<()> {
        let Some(changes) = &mut self.catalog_changes else { return Ok(()) };
        if changes.make_next(&self.client).await? {
            self.tally.add_catalog_change();
        }
        Ok(())
    }

    pub(super) fn shop(&self, collection: &str) -> Collection<Document> {
        self.client.database("shop").collection(collection)
    }

    pub(super) fn analytics(&self, collection: &str) -> Collection<Document> {
        self.client.database("analytics").collection(collection)
    }

    pub(super) fn content(&self, collection: &str) -> Collection<Document> {
        self.client.database("content").collection(collection)
    }
}

fn paced(pause: Duration) -> Interval {
    let mut interval = tokio::time::interval(pause);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}

async fn next_turn(pace: &mut Option<Interval>) {
    if let Some(interval) = pace {
        interval.tick().await;
    }
}
