//! The seeded documents that the writers change.

use bson::{Bson, Document, doc};
use futures_util::TryStreamExt;
use mongodb::{Client, error::Result};
use rand::{RngExt, rngs::StdRng};

use crate::{
    seed::{self, SeedSize},
    testbed_error::TestbedError,
};

/// Few enough that writers meet at the same documents.
const MOST_OF_EACH: i64 = 2000;

pub(super) struct Subjects {
    customers: Vec<Bson>,
    products: Vec<Bson>,
    orders: Vec<Bson>,
    articles: Vec<Bson>,
}

impl Subjects {
    pub(super) async fn find_or_seed(client: &Client) -> std::result::Result<Self, TestbedError> {
        let failed = || TestbedError::database("look for seeded documents");
        let found = Self::find(client).await.map_err(failed())?;
        if !found.customers.is_empty() {
            return Ok(found);
        }
        seed::fill(client, SeedSize { mib: 1 }).await?;
        Self::find(client).await.map_err(failed())
    }

    async fn find(client: &Client) -> Result<Self> {
        Ok(Self {
            customers: ids(client, "shop", "customers").await?,
            products: ids(client, "shop", "products").await?,
            orders: ids(client, "shop", "orders").await?,
            articles: ids(client, "content", "articles").await?,
        })
    }

    pub(super) fn customer(&self, rng: &mut StdRng) -> Bson {
        any(&self.customers, rng)
    }

    pub(super) fn product(&self, rng: &mut StdRng) -> Bson {
        any(&self.products, rng)
    }

    pub(super) fn order(&self, rng: &mut StdRng) -> Bson {
        any(&self.orders, rng)
    }

    pub(super) fn article(&self, rng: &mut StdRng) -> Bson {
        any(&self.articles, rng)
    }
}

async fn ids(client: &Client, database: &str, collection: &str) -> Result<Vec<Bson>> {
    let collection = client.database(database).collection::<Document>(collection);
    let found = collection.find(doc! {}).projection(doc! { "_id": 1 }).limit(MOST_OF_EACH).await?;
    found.map_ok(|document| document.get("_id").cloned().unwrap_or(Bson::Null)).try_collect().await
}

fn any(ids: &[Bson], rng: &mut StdRng) -> Bson {
    ids[rng.random_range(0..ids.len())].clone()
}
