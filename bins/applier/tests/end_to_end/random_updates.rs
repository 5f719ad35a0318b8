//! Documents with random histories of updates, made by a real server, and each copied at a random moment of its own.
//!
//! MONGOFERRY_TEST_SEED replays a run (a document's history depends on the seed and its number alone, up to the number of steps);
//! MONGOFERRY_PROPERTY_SECONDS lets the histories grow for so long, by default as long as the fewest steps take.

mod operations;
mod values;

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use bson::{Bson, RawArrayBuf, RawDocumentBuf, doc};
use mongodb::{Client, Collection, options::ReadConcern};
use mongoferry_mongo::{Cluster, insert_raw};
use mongoferry_protocol::Namespace;
use rand::{RngExt, SeedableRng, rngs::StdRng};

pub use operations::OPERATIONS;

const DOCUMENTS: i32 = 160;
const WRITERS: i32 = 4;
/// Enough that every kind of operation comes up often.
const FEWEST_STEPS: u32 = 30;
const DATABASE: &str = "property";
const COLLECTION: &str = "documents";

/// How often each kind of operation took effect.
pub type Counts = BTreeMap<&'static str, u64>;

/// What the servers on both sides take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// 4.2 and 4.4: no name with a dollar, but inside documents that are inserted.
    Plain,
    /// 5.0 and later.
    Any,
}

struct History {
    id: i32,
    rng: StdRng,
    copied: bool,
}

/// A collection with some of the documents, before the migration begins.
pub async fn prepare(user: &Client, options: bson::Document) {
    let mut create = doc! { "create": COLLECTION };
    create.extend(options);
    user.database(DATABASE).run_command(create).await.expect("created");
}

/// Writes the histories and copies each document once, at whatever moment.
pub async fn write_and_copy(user: &Client, destination: &Cluster, seed: u64, names: Names) -> Counts {
    let seconds = std::env::var("MONGOFERRY_PROPERTY_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(0);
    let until = Instant::now() + Duration::from_secs(seconds);
    let collection: Collection<RawDocumentBuf> = user.database(DATABASE).collection(COLLECTION);
    let writers = (0..WRITERS).map(|writer| {
        let (collection, destination) = (collection.clone(), destination.clone());
        let histories = (0..DOCUMENTS).filter(move |id| id % WRITERS == writer).map(move |id| History {
            id,
            rng: StdRng::seed_from_u64(seed ^ (u64::try_from(id).expect("positive") << 32)),
            copied: false,
        });
        tokio::spawn(write(collection, destination, histories.collect(), names, until))
    });
    let mut all = Counts::new();
    for writer in writers.collect::<Vec<_>>() {
        for (kind, count) in writer.await.expect("no panic") {
            *all.entry(kind).or_default() += count;
        }
    }
    all
}

async fn write(
    collection: Collection<RawDocumentBuf>,
    destination: Cluster,
    mut histories: Vec<History>,
    names: Names,
    until: Instant,
) -> Counts {
    let mut counts = Counts::new();
    let mut steps = 0;
    while steps < FEWEST_STEPS || Instant::now() < until {
        for history in &mut histories {
            if let Some(kind) = operations::run(&collection, history.id, &mut history.rng, names).await {
                *counts.entry(kind).or_default() += 1;
            }
            if !history.copied && history.rng.random_range(0..FEWEST_STEPS) == 0 {
                copy(&collection, &destination, history).await;
            }
        }
        steps += 1;
    }
    for history in histories.iter_mut().filter(|history| !history.copied) {
        copy(&collection, &destination, history).await;
    }
    counts
}

async fn copy(collection: &Collection<RawDocumentBuf>, destination: &Cluster, history: &mut History) {
    history.copied = true;
    let read = collection.clone_with_type::<RawDocumentBuf>();
    let found = read.find_one(doc! {"_id": Bson::from(history.id)}).read_concern(ReadConcern::majority()).await;
    let Some(document) = found.expect("reads") else { return };
    let mut documents = RawArrayBuf::new();
    documents.push(document);
    insert_raw(destination, &Namespace::new(DATABASE, COLLECTION), &documents).await.expect("copies");
}
