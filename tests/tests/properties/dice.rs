//! Random decisions, all from one seed: the same seed decides the same.

use std::sync::OnceLock;

use bson::{Bson, Document, doc};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde::Deserialize;

const DATABASES: [&str; 2] = ["one", "two"];
const NAMES: [&str; 5] = ["a", "b", "c", "dotted.name", "with späce"];
/// Most documents have one of these as `_id`, so that they meet many operations.
const COMMON_IDS: i32 = 10;

pub struct Dice {
    rng: StdRng,
    /// Everything that is done only sometimes is done.
    thorough: bool,
}

/// Ids and values of every kind, as canonical extended JSON.
#[derive(Deserialize)]
struct Pool {
    ids: Vec<Bson>,
    values: Vec<Bson>,
}

fn pool() -> &'static Pool {
    static POOL: OnceLock<Pool> = OnceLock::new();
    POOL.get_or_init(|| serde_json::from_str(include_str!("values.json")).expect("extended JSON"))
}

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self { rng: StdRng::seed_from_u64(seed), thorough: false }
    }

    pub fn thorough(seed: u64) -> Self {
        Self { thorough: true, ..Self::new(seed) }
    }

    pub fn chance(&mut self, probability: f64) -> bool {
        self.rng.random_bool(probability)
    }

    /// As [`Self::chance`]; always where nothing may be left out.
    pub fn mostly(&mut self, probability: f64) -> bool {
        self.rng.random_bool(probability) || self.thorough
    }

    /// Below `end`.
    pub fn number(&mut self, end: i32) -> i32 {
        self.rng.random_range(0..end)
    }

    /// Below `end`.
    pub fn index(&mut self, end: usize) -> usize {
        self.rng.random_range(0..end)
    }

    pub fn seed(&mut self) -> u64 {
        self.rng.random()
    }

    pub fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.index(from.len())].clone()
    }

    pub fn database(&mut self) -> &'static str {
        self.pick(&DATABASES)
    }

    pub fn name(&mut self) -> &'static str {
        self.pick(&NAMES)
    }

    /// Two names that differ.
    pub fn two_names(&mut self) -> (&'static str, &'static str) {
        let first = self.index(NAMES.len());
        let second = (first + 1 + self.index(NAMES.len() - 1)) % NAMES.len();
        (NAMES[first], NAMES[second])
    }

    pub fn id(&mut self) -> Bson {
        if self.chance(0.75) { self.number(COMMON_IDS).into() } else { self.pick(&pool().ids) }
    }

    /// Every `_id` that is not common, once.
    pub fn odd_ids() -> &'static [Bson] {
        &pool().ids
    }

    /// Of any BSON type.
    pub fn value(&mut self) -> Bson {
        self.pick(&pool().values)
    }

    pub fn every_value() -> &'static [Bson] {
        &pool().values
    }

    /// Fields of every kind, in an order that varies; without `_id`.
    pub fn fields(&mut self) -> Document {
        let mut fields = doc! { "group": self.number(4), "n": self.number(1_000) };
        let tags: Vec<Bson> = (0..self.number(6)).map(|_| self.tag()).collect();
        fields.insert("tags", tags);
        for _ in 0..self.number(4) {
            let name = self.pick(&["x", "y", "z", "sub", "when", "10", "9", "a.b", "", "$odd"]);
            let value = self.value();
            fields.insert(name, value);
        }
        if self.chance(0.5) {
            let value = self.value();
            fields.insert("sub", doc! { "n": self.number(9), "deep": { "value": value }, "list": [1, 2, 3] });
        }
        fields
    }

    fn tag(&mut self) -> Bson {
        match self.number(3) {
            0 => self.value(),
            1 => Bson::Document(doc! { "k": self.number(4), "v": self.number(9) }),
            _ => self.number(9).into(),
        }
    }

    pub fn document(&mut self) -> Document {
        let mut document = doc! { "_id": self.id() };
        document.extend(self.fields());
        document
    }
}
