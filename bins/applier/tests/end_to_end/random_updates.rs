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
use mongoferry_bus::{Bus, key};
use mongoferry_mongo::{Cluster, holds_doubled_name, insert_raw};
use mongoferry_protocol::{CollectionUuid, Namespace};
use rand::{RngExt, SeedableRng, rngs::StdRng};

pub use operations::OPERATIONS;

const DOCUMENTS: i32 = 160;
const WRITERS: i32 = 4;
/// Enough that every kind of operation comes up often.
const FEWEST_STEPS: u32 = 30;
const DATABASE: &str = "property";
/// Of those in the second, some hold two fields of one name, where the servers take such: there, others are changed in other
/// ways, too.
const COLLECTIONS: [&str; 2] = ["documents", "doubled names"];

/// How often each kind of operation took effect.
pub type Counts = BTreeMap<&'static str, u64>;

/// What the servers on both sides take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// 4.2 and 4.4: no name with a dollar, but inside documents that are inserted.
    Plain,
    /// The same, and two fields of one name.
    Doubled,
    /// 5.0 and later.
    Any,
}

/// Where a copier would put documents, and what it would note.
#[derive(Clone)]
pub struct Destination {
    pub cluster: Cluster,
    pub bus: Bus,
    /// Those of the source, by name.
    pub collections: BTreeMap<String, CollectionUuid>,
}

struct History {
    id: i32,
    rng: StdRng,
    copied: bool,
}

/// The collections, before the migration begins.
pub async fn prepare(user: &Client) {
    for collection in COLLECTIONS {
        user.database(DATABASE).create_collection(collection).await.expect("created");
    }
}

/// Writes the histories and copies each document once, at whatever moment.
pub async fn write_and_copy(user: &Client, destination: &Destination, seed: u64, names: Names) -> Counts {
    let seconds = std::env::var("MONGOFERRY_PROPERTY_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(0);
    let until = Instant::now() + Duration::from_secs(seconds);
    let writers = (0..WRITERS).map(|writer| {
        let is_last = writer == WRITERS - 1;
        let collection = user.database(DATABASE).collection(COLLECTIONS[usize::from(is_last)]);
        let names = if is_last && names == Names::Plain { Names::Doubled } else { names };
        let destination = destination.clone();
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
    destination: Destination,
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

async fn copy(collection: &Collection<RawDocumentBuf>, destination: &Destination, history: &mut History) {
    history.copied = true;
    let read = collection.clone_with_type::<RawDocumentBuf>();
    let found = read.find_one(doc! {"_id": Bson::from(history.id)}).read_concern(ReadConcern::majority()).await;
    let Some(document) = found.expect("reads") else { return };
    if holds_doubled_name(&document) {
        let uuid = destination.collections[collection.name()];
        destination.bus.records().put(&key::doubled_names(uuid), &true).await.expect("recorded");
    }
    let mut documents = RawArrayBuf::new();
    documents.push(document);
    insert_raw(&destination.cluster, &Namespace::new(DATABASE, collection.name()), &documents).await.expect("copies");
}
