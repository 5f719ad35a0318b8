//! What a process fails at and tries again, so that its heartbeats tell.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use mongoferry_protocol::Failure;
use tokio::time::Instant;

/// What did not fail again within this time is got over: no attempt takes longer to fail.
const SPOKEN_OF_FOR: Duration = Duration::from_secs(20);

/// Cheap to clone; clones share what is noted.
#[derive(Clone, Default)]
pub struct Troubles(Arc<Mutex<Noted>>);

#[derive(Default)]
struct Noted {
    next: u64,
    troubles: BTreeMap<u64, (Failure, Instant)>,
}

/// The trouble of one unit of work; forgotten when that has ended in whatever way.
pub struct Trouble {
    number: u64,
    troubles: Troubles,
}

impl Troubles {
    pub fn of_unit(&self) -> Trouble {
        let mut noted = self.lock();
        noted.next += 1;
        Trouble { number: noted.next, troubles: self.clone() }
    }

    /// Those of now, one for each code.
    pub fn now(&self) -> Vec<Failure> {
        let noted = self.lock();
        let fresh = noted.troubles.values().filter(|(_, failed_at)| failed_at.elapsed() < SPOKEN_OF_FOR);
        let by_code: BTreeMap<&str, &Failure> = fresh.map(|(failure, _)| (failure.code.as_str(), failure)).collect();
        by_code.into_values().cloned().collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Noted> {
        self.0.lock().expect("no panic while troubles are locked")
    }
}

impl Trouble {
    /// Keeps the moment at which the same failure was first noted.
    pub fn note(&self, failure: Failure) {
        let mut noted = self.troubles.lock();
        let known = noted.troubles.get(&self.number).filter(|(known, _)| known.code == failure.code);
        let at_ms = known.map_or(failure.at_ms, |(known, _)| known.at_ms);
        noted.troubles.insert(self.number, (Failure { at_ms, ..failure }, Instant::now()));
    }
}

impl Drop for Trouble {
    fn drop(&mut self) {
        self.troubles.lock().troubles.remove(&self.number);
    }
}
