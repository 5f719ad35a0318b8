//! The changes of the catalog that come on the way: a collection created, another renamed, a third dropped.

use bson::{Document, doc};
use mongodb::{Client, error::Result};

use super::persist::{code_of, persist};
use crate::testbed_error::TestbedError;

const NAMESPACE_NOT_FOUND: i32 = 26;
const NAMESPACE_EXISTS: i32 = 48;
const DOCUMENTS: i32 = 50;

/// Makes one change at each call, in the order create, rename, drop.
pub(super) struct CatalogChanges {
    seed: u64,
    made: u32,
}

impl CatalogChanges {
    /// Creates the collections that are to be renamed and dropped.
    pub(super) async fn prepare(client: &Client, seed: u64) -> std::result::Result<Self, TestbedError> {
        let changes = Self { seed, made: 0 };
        for collection in [changes.drafts(), changes.obsolete()] {
            fill(client, &collection, 0).await.map_err(TestbedError::database(format!("create {collection}")))?;
        }
        Ok(changes)
    }

    /// False once there is nothing left to change.
    pub(super) async fn make_next(&mut self, client: &Client) -> Result<bool> {
        match self.made {
            0 => self.create(client).await?,
            1 => self.rename(client).await?,
            2 => self.drop_obsolete(client).await?,
            _ => return Ok(false),
        }
        self.made += 1;
        Ok(true)
    }

    /// One index comes before the data, one after.
    async fn create(&self, client: &Client) -> Result<()> {
        let name = format!("returns_{}", self.seed);
        run(client, doc! { "create": &name, "validator": { "number": { "$gte": 0 } } }).await?;
        index(client, &name, "number").await?;
        fill(client, &name, 0).await?;
        index(client, &name, "reason").await?;
        fill(client, &name, DOCUMENTS).await
    }

    async fn rename(&self, client: &Client) -> Result<()> {
        let archive = format!("drafts_archive_{}", self.seed);
        let admin = client.database("admin");
        let command =
            doc! { "renameCollection": format!("content.{}", self.drafts()), "to": format!("content.{archive}") };
        persist(|| async { done_already(admin.run_command(command.clone()).await) }).await?;
        fill(client, &archive, DOCUMENTS).await
    }

    async fn drop_obsolete(&self, client: &Client) -> Result<()> {
        run(client, doc! { "drop": self.obsolete() }).await
    }

    fn drafts(&self) -> String {
        format!("drafts_{}", self.seed)
    }

    fn obsolete(&self) -> String {
        format!("obsolete_{}", self.seed)
    }
}

async fn index(client: &Client, collection: &str, field: &str) -> Result<()> {
    let index = doc! { "key": { field: 1 }, "name": format!("{field}_1") };
    run(client, doc! { "createIndexes": collection, "indexes": [index] }).await
}

/// Fifty documents with numbers from `first` on.
async fn fill(client: &Client, collection: &str, first: i32) -> Result<()> {
    let collection = client.database("content").collection::<Document>(collection);
    let documents: Vec<Document> = (first..first + DOCUMENTS)
        .map(|number| doc! { "_id": number, "number": number, "reason": format!("reason {}", number % 7) })
        .collect();
    persist(|| async { collection.insert_many(&documents).ordered(false).await.map(drop) }).await
}

async fn run(client: &Client, command: Document) -> Result<()> {
    let content = client.database("content");
    persist(|| async { done_already(content.run_command(command.clone()).await) }).await
}

/// A first attempt may have been done without its answer having reached us.
fn done_already(answer: Result<Document>) -> Result<()> {
    match answer {
        Err(error) if matches!(code_of(&error), Some(NAMESPACE_NOT_FOUND | NAMESPACE_EXISTS)) => Ok(()),
        answer => answer.map(drop),
    }
}
