//! A believable data set of a chosen size, the same on every run: a shop, its analytics and its content.
//!
//! Promises: equal sizes give byte-equal documents; every kind of index that a migration treats specially is there
//! (compound, unique, partial, sparse, TTL, text, 2dsphere, hashed), a validator and two views; `_id`s are ObjectIds,
//! strings, integers, UUIDs and documents; every BSON type an application commonly stores occurs.

mod analytics;
mod content;
mod invent;
mod shop;
mod words;

use bson::{Document, RawDocumentBuf, doc};
use futures_util::{StreamExt, TryStreamExt, stream};
use mongodb::{
    Client, Collection,
    options::{Acknowledgment, WriteConcern},
};
use rand::{SeedableRng, rngs::StdRng};

use crate::testbed_error::TestbedError;

/// Documents that are made from one random state: another number gives other data.
const BATCH_DOCUMENTS: u64 = 1000;
const BATCHES_UNDER_WAY: usize = 4;
const MIB: u64 = 1024 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeedSize {
    /// About how many MiB of BSON all documents have together.
    pub mib: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SeedSummary {
    pub documents: u64,
    /// BSON, uncompressed, without indexes.
    pub bytes: u64,
    /// Without views.
    pub collections: u64,
}

/// One collection of the data set.
struct Section {
    database: &'static str,
    collection: &'static str,
    /// Its part of all bytes, in thousandths.
    share: u64,
    /// What a document has on average, measured.
    average_bytes: u64,
    document: fn(&mut StdRng, u64) -> RawDocumentBuf,
    /// Options of `create`.
    options: fn() -> Document,
    /// Arguments of `createIndexes`.
    indexes: fn() -> Vec<Document>,
}

/// Fills databases `shop`, `analytics` and `content`, which must not exist yet.
pub async fn fill(client: &Client, size: SeedSize) -> Result<SeedSummary, TestbedError> {
    fill_with_progress(client, size, |_| {}).await
}

/// As `fill`; `progress` hears the sum so far after each batch.
pub async fn fill_with_progress(
    client: &Client,
    size: SeedSize,
    mut progress: impl FnMut(SeedSummary),
) -> Result<SeedSummary, TestbedError> {
    let mut summary = SeedSummary::default();
    for section in sections() {
        section.create(client).await?;
        summary.collections += 1;
        let mut batches = section.batches(client, size);
        while let Some((documents, bytes)) = batches.try_next().await? {
            summary.documents += documents;
            summary.bytes += bytes;
            progress(summary);
        }
        section.create_indexes(client).await?;
    }
    create_views(client).await?;
    Ok(summary)
}

fn sections() -> impl Iterator<Item = Section> {
    shop::sections().into_iter().chain(analytics::sections()).chain(content::sections())
}

async fn create_views(client: &Client) -> Result<(), TestbedError> {
    for (database, command) in shop::views().into_iter().chain(content::views()) {
        run(client, database, command).await?;
    }
    Ok(())
}

impl Section {
    fn document_count(&self, size: SeedSize) -> u64 {
        (size.mib * MIB * self.share / 1000 / self.average_bytes).max(20)
    }

    async fn create(&self, client: &Client) -> Result<(), TestbedError> {
        let mut command = doc! { "create": self.collection };
        command.extend((self.options)());
        run(client, self.database, command).await
    }

    async fn create_indexes(&self, client: &Client) -> Result<(), TestbedError> {
        let command = doc! { "createIndexes": self.collection, "indexes": (self.indexes)() };
        run(client, self.database, command).await
    }

    /// Inserts everything; each item is one finished batch as (documents, bytes).
    fn batches(
        &self,
        client: &Client,
        size: SeedSize,
    ) -> impl futures_util::Stream<Item = Result<(u64, u64), TestbedError>> + Unpin {
        let total = self.document_count(size);
        let options = mongodb::options::CollectionOptions::builder()
            .write_concern(WriteConcern::builder().w(Acknowledgment::Nodes(1)).build())
            .build();
        let collection: Collection<RawDocumentBuf> =
            client.database(self.database).collection_with_options(self.collection, options);
        let (document, base) = (self.document, random_base(self.database, self.collection));
        let inserts = (0..total).step_by(BATCH_DOCUMENTS as usize).map(move |first| {
            let collection = collection.clone();
            async move {
                let mut rng = StdRng::seed_from_u64(base ^ first);
                let last = total.min(first + BATCH_DOCUMENTS);
                let documents: Vec<RawDocumentBuf> = (first..last).map(|index| document(&mut rng, index)).collect();
                let bytes = documents.iter().map(|document| document.as_bytes().len() as u64).sum();
                let inserted = collection.insert_many(documents).ordered(false).await;
                inserted.map_err(TestbedError::database(format!("insert into {}", collection.namespace())))?;
                Ok((last - first, bytes))
            }
        });
        stream::iter(inserts).buffered(BATCHES_UNDER_WAY)
    }
}

/// A number that differs between collections and stays the same between runs (FNV-1a).
fn random_base(database: &str, collection: &str) -> u64 {
    let bytes = database.bytes().chain([b'.']).chain(collection.bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

async fn run(client: &Client, database: &str, mut command: Document) -> Result<(), TestbedError> {
    let action = format!("{database}: {command}");
    command.insert("writeConcern", doc! { "w": "majority" });
    client.database(database).run_command(command).await.map_err(TestbedError::database(action))?;
    Ok(())
}
