//! What is copied: the same documents with every run, without indexes other than `_id`.

use bson::{Bson, DateTime, RawArrayBuf, RawDocumentBuf, doc, oid::ObjectId, raw::cstr, rawdoc};
use mongodb::Client;
use rand::{RngExt, SeedableRng, distr::Alphanumeric, rngs::StdRng};
use tokio::task::JoinSet;

use crate::load::Load;

/// Databases of the collections that stay as they are, and of those that are written to.
const STILL: &str = "bench";
pub const LIVELY: &str = "bench_load";
/// Collections that are written to, and documents in each.
pub const ACCOUNTS: usize = 8;
const ACCOUNT_DOCUMENTS: i64 = 25_000;
const INSERT_BYTES: usize = 2 * 1024 * 1024;
const INSERTS_UNDER_WAY: usize = 4;

/// A collection to be copied.
#[derive(Clone, Debug)]
pub struct Shape {
    pub database: &'static str,
    pub collection: String,
    /// About.
    pub document_bytes: u32,
}

pub struct Fixture {
    pub load: Load,
}

impl Fixture {
    /// Fills the source with 540 MiB.
    pub async fn fill(source: &Client) -> Self {
        insert_all(source, STILL, "orders", (0..320_000).map(order)).await;
        insert_all(source, STILL, "tickets", (1_000_000..1_160_000).map(order)).await;
        insert_all(source, STILL, "readings", (0..400_000).map(reading)).await;
        for number in 0..ACCOUNTS {
            let mut rng = StdRng::seed_from_u64(number as u64);
            let accounts = (0..ACCOUNT_DOCUMENTS).map(|id| account(id, &mut rng));
            insert_all(source, LIVELY, &account_collection(number), accounts).await;
        }
        Self { load: Load::new(ACCOUNT_DOCUMENTS) }
    }

    pub fn all() -> Vec<Shape> {
        let still = [("orders", 1_024), ("tickets", 1_024), ("readings", 104)];
        let still =
            still.map(|(name, bytes)| Shape { database: STILL, collection: name.into(), document_bytes: bytes });
        still.into_iter().chain(Self::lively()).collect()
    }

    /// Those that are written to.
    pub fn lively() -> Vec<Shape> {
        let shape = |number| Shape { database: LIVELY, collection: account_collection(number), document_bytes: 300 };
        (0..ACCOUNTS).map(shape).collect()
    }
}

pub fn account_collection(number: usize) -> String {
    format!("accounts_{number}")
}

/// About 1 KiB: every usual type, some of it compressible.
fn order(number: u32) -> RawDocumentBuf {
    let mut rng = StdRng::seed_from_u64(u64::from(number));
    let total = f64::from(rng.random_range(100..100_000_u32)) / 100.0;
    let status = ["new", "paid", "sent", "done"][rng.random_range(0..4_usize)];
    let items =
        (0..3).map(|line| rawdoc! { "sku": rng.random_range(0..50_000_i32), "count": line + 1, "price": total });
    let items: RawArrayBuf = items.collect();
    let mut order = rawdoc! {
        "_id": object_id(number),
        "uid": rng.random_range(0..1_000_000_i64),
        "status": status,
        "at": DateTime::from_millis(1_700_000_000_000 + i64::from(number) * 1_000),
        "total": total,
        "gift": rng.random_bool(0.1),
        "address": { "street": text(&mut rng, 24), "city": text(&mut rng, 12), "zip": rng.random_range(10_000..99_999_i32) },
    };
    order.append(cstr!("items"), items);
    order.append(cstr!("terms"), "delivery within five working days, return within thirty, ".repeat(7));
    order.append(cstr!("note"), text(&mut rng, 250));
    order
}

/// About 100 bytes.
fn reading(number: u32) -> RawDocumentBuf {
    let mut rng = StdRng::seed_from_u64(u64::from(number));
    rawdoc! {
        "_id": object_id(number),
        "k": rng.random_range(0..10_000_i32),
        "t": DateTime::from_millis(1_700_000_000_000 + i64::from(number) * 50),
        "v": rng.random::<f64>(),
        "unit": "kelvin",
        "where": text(&mut rng, 8),
    }
}

/// About 300 bytes.
pub fn account(id: i64, rng: &mut StdRng) -> RawDocumentBuf {
    rawdoc! {
        "_id": id,
        "n": 0_i64,
        "tok": text(rng, 24),
        "st": { "a": rng.random_range(0..1_000_i32), "b": text(rng, 40) },
        "ts": DateTime::from_millis(1_700_000_000_000 + id),
        "name": text(rng, 30),
        "note": text(rng, 80),
    }
}

pub fn text(rng: &mut StdRng, length: usize) -> String {
    rng.sample_iter(Alphanumeric).take(length).map(char::from).collect()
}

/// Ascending, as drivers make them.
fn object_id(number: u32) -> ObjectId {
    let mut bytes = [7; 12];
    bytes[..4].copy_from_slice(&(1_700_000_000 + number / 1_000).to_be_bytes());
    bytes[8..].copy_from_slice(&number.to_be_bytes());
    ObjectId::from_bytes(bytes)
}

async fn insert_all(
    client: &Client,
    database: &str,
    collection: &str,
    documents: impl Iterator<Item = RawDocumentBuf>,
) {
    let mut inserts = JoinSet::new();
    let mut documents = documents.peekable();
    while documents.peek().is_some() {
        let mut array = RawArrayBuf::new();
        let mut bytes = 0;
        while bytes < INSERT_BYTES
            && let Some(document) = documents.next()
        {
            bytes += document.as_bytes().len();
            array.push(document);
        }
        let mut command = rawdoc! { "insert": collection, "ordered": false, "writeConcern": { "w": 1 } };
        command.append(cstr!("documents"), array);
        if inserts.len() == INSERTS_UNDER_WAY {
            let () = inserts.join_next().await.expect("some are under way").expect("no panic");
        }
        let database = client.database(database);
        inserts.spawn(async move {
            let reply = database.run_raw_command(command).await.expect("the source inserts");
            assert!(!reply.contains_key("writeErrors"), "{reply}");
        });
    }
    inserts.join_all().await;
}

/// The sums that the server makes of the contents of collections of one database, by name.
pub async fn contents(client: &Client, database: &str) -> Vec<(String, Bson)> {
    let names: Vec<String> = (0..ACCOUNTS).map(account_collection).collect();
    let command = doc! { "dbHash": 1, "collections": names };
    let hashes = client.database(database).run_command(command).await.expect("the server sums up");
    hashes.get_document("collections").expect("is part of the answer").clone().into_iter().collect()
}
