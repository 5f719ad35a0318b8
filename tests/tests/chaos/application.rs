//! The users of the source: the testbed's workload, and somebody who changes the catalog all the time.

use std::{sync::Arc, time::Duration};

use bson::{Document, doc};
use mongodb::Client;
use mongoferry_testbed::{Workload, WorkloadOptions};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use tokio::{sync::watch, task::JoinHandle};

const NAMES: [&str; 4] = ["a", "b", "c", "d"];
const BETWEEN_CHANGES: Duration = Duration::from_millis(200);
const OPERATIONS_PER_SECOND: u32 = 150;

pub struct Application {
    workload: Workload,
    stopping: Arc<watch::Sender<bool>>,
    changes: JoinHandle<u64>,
}

impl Application {
    pub async fn start(client: Client, seed: u64) -> Self {
        let operations_per_second = OPERATIONS_PER_SECOND.try_into().ok();
        let options = WorkloadOptions { operations_per_second, seed, ..WorkloadOptions::default() };
        let workload = Workload::start(client.clone(), options).await.expect("the workload starts");
        let stopping = Arc::new(watch::channel(false).0);
        let changes = tokio::spawn(change_catalog(client, StdRng::seed_from_u64(seed), stopping.subscribe()));
        Self { workload, stopping, changes }
    }

    /// On return nothing is written any more, and nothing is under way.
    pub async fn stop(self) {
        self.stopping.send_replace(true);
        let counts = self.workload.stop().await.expect("the workload met no error");
        let changes = self.changes.await.expect("no panic");
        eprintln!(
            "written meanwhile: {} operations, {changes} statements on collections that come and go",
            counts.total()
        );
    }
}

async fn change_catalog(client: Client, mut rng: StdRng, stopping: watch::Receiver<bool>) -> u64 {
    let mut done = 0;
    while !*stopping.borrow() {
        let (database, command) = statement(&mut rng);
        // What can't be done (no such collection, a name in use, no primary) is not done.
        done += u64::from(client.database(database).run_command(command).await.is_ok());
        tokio::time::sleep(BETWEEN_CHANGES).await;
    }
    done
}

fn statement(rng: &mut StdRng) -> (&'static str, Document) {
    let name = NAMES[rng.random_range(0..NAMES.len())];
    let (id, n) = (rng.random_range(0..30), rng.random_range(0..1_000_000));
    let command = match rng.random_range(0..100) {
        0..40 => {
            let update = doc! {"q": {"_id": id}, "u": {"_id": id, "n": n, "in": name}, "upsert": true};
            doc! {"update": name, "updates": [update]}
        }
        40..60 => doc! {"update": name, "updates": [{"q": {"_id": id}, "u": {"$set": {"m": n}, "$inc": {"c": 1}}}]},
        60..72 => doc! {"delete": name, "deletes": [{"q": {"_id": id}, "limit": 1}]},
        72..78 => doc! {"create": name, "validator": {"n": {"$lt": 2_000_000}}},
        78..81 => doc! {"drop": name},
        81..86 => doc! {"createIndexes": name, "indexes": [{"key": {"n": 1}, "name": "n_1"}]},
        86..88 => doc! {"dropIndexes": name, "index": "n_1"},
        88..91 => doc! {"collMod": name, "validationLevel": if n % 2 == 0 { "moderate" } else { "strict" }},
        91..92 => doc! {"dropDatabase": 1},
        _ => {
            let to = NAMES[rng.random_range(0..NAMES.len())];
            let rename = doc! {
                "renameCollection": format!("churn.{name}"), "to": format!("churn.{to}"), "dropTarget": rng.random_bool(0.7),
            };
            return ("admin", rename);
        }
    };
    ("churn", command)
}
