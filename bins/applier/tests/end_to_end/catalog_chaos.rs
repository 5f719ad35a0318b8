//! A user who changes data and collections at random, with few names, so that these change hands all the time.

use bson::{Document, doc};
use mongodb::{Client, Database, error::ErrorKind};
use rand::{RngExt, SeedableRng, rngs::StdRng};

const NAMES: [&str; 4] = ["a", "b", "c", "d"];
const IDS: i32 = 30;

pub struct CatalogChaos {
    database: Database,
    rng: StdRng,
}

impl CatalogChaos {
    pub fn new(client: &Client, seed: u64) -> Self {
        Self { database: client.database("chaos"), rng: StdRng::seed_from_u64(seed) }
    }

    pub async fn steps(&mut self, count: usize) {
        for _ in 0..count {
            self.step().await;
        }
    }

    async fn step(&mut self) {
        let name = NAMES[self.rng.random_range(0..NAMES.len())];
        let id = self.rng.random_range(0..IDS);
        let n = self.rng.random_range(0..1_000_000);
        let command = match self.rng.random_range(0..100) {
            0..40 => {
                let update = doc! {"q": {"_id": id}, "u": {"_id": id, "n": n, "in": name}, "upsert": true};
                doc! {"update": name, "updates": [update]}
            }
            40..65 => doc! {"update": name, "updates": [{"q": {"_id": id}, "u": {"$set": {"m": n}, "$inc": {"c": 1}}}]},
            65..80 => doc! {"delete": name, "deletes": [{"q": {"_id": id}, "limit": 1}]},
            80..85 => doc! {"create": name, "validator": {"n": {"$lt": 2_000_000}}},
            85..87 => doc! {"drop": name},
            87..90 => doc! {"createIndexes": name, "indexes": [{"key": {"n": 1}, "name": "n_1"}]},
            90..91 => doc! {"dropIndexes": name, "index": "n_1"},
            91..93 => doc! {"collMod": name, "validationLevel": if n % 2 == 0 { "moderate" } else { "strict" }},
            93..94 => doc! {"dropDatabase": 1},
            _ => return self.rename(name).await,
        };
        self.run(&self.database, command).await;
    }

    async fn rename(&mut self, name: &str) {
        let to = NAMES[self.rng.random_range(0..NAMES.len())];
        let over = self.rng.random_bool(0.7);
        let command =
            doc! {"renameCollection": format!("chaos.{name}"), "to": format!("chaos.{to}"), "dropTarget": over};
        self.run(&self.database.client().database("admin"), command).await;
    }

    /// What can't be done (a missing collection, a name in use) is not done.
    async fn run(&self, database: &Database, command: Document) {
        match database.run_command(command.clone()).await.map_err(|error| *error.kind) {
            Ok(_) | Err(ErrorKind::Command(_)) => {}
            Err(error) => panic!("{command}: {error}"),
        }
    }
}
