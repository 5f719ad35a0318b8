//! A leg that is down: a process that does not reach one of the parties it works with.

use std::{
    fmt,
    sync::{Arc, Mutex},
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{PastOutage, now_ms};

/// With whom a process works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Party {
    Source,
    Destination,
    Bus,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outage {
    pub party: Party,
    /// When the process noticed, in milliseconds since 1970.
    pub since_ms: u64,
    /// Lower-case fragment.
    pub reason: String,
}

/// Whether a party can be reached, noted by whoever holds the connection to it. Cheap to clone; clones share the note.
#[derive(Clone, Default)]
pub struct Reachability(Arc<Mutex<Noted>>);

#[derive(Default)]
struct Noted {
    /// Since when, and why.
    lost: Option<(u64, String)>,
    /// Losses that are over: from when until when. Those that nobody asks for are forgotten.
    ended: Vec<(u64, u64)>,
}

const MOST_ENDED: usize = 100;

impl Reachability {
    /// Keeps the moment of the first loss, and the newest reason.
    pub fn lost(&self, reason: impl Into<String>) {
        let mut noted = self.lock();
        let since_ms = noted.lost.as_ref().map_or_else(now_ms, |(since_ms, _)| *since_ms);
        noted.lost = Some((since_ms, reason.into()));
    }

    pub fn found(&self) {
        let mut noted = self.lock();
        if let Some((since_ms, _)) = noted.lost.take()
            && noted.ended.len() < MOST_ENDED
        {
            noted.ended.push((since_ms, now_ms()));
        }
    }

    pub fn is_lost(&self) -> bool {
        self.lock().lost.is_some()
    }

    /// The outage of `party`, if there is one now.
    pub fn outage(&self, party: Party) -> Option<Outage> {
        self.lock().lost.clone().map(|(since_ms, reason)| Outage { party, since_ms, reason })
    }

    /// The outages of `party` that have ended since the last call.
    pub fn take_ended(&self, party: Party) -> Vec<PastOutage> {
        let ended = std::mem::take(&mut self.lock().ended);
        ended.into_iter().map(|(since_ms, until_ms)| PastOutage { party, since_ms, until_ms }).collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Noted> {
        self.0.lock().expect("no panic while the note is locked")
    }
}

impl Party {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Destination => "destination",
            Self::Bus => "bus",
        }
    }
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::{Party, Reachability};

    #[test]
    fn an_outage_keeps_its_beginning_until_it_ends() {
        let reachability = Reachability::default();
        assert_eq!(reachability.outage(Party::Bus), None);
        reachability.lost("one");
        let first = reachability.outage(Party::Bus).unwrap();
        reachability.lost("two");
        let second = reachability.outage(Party::Bus).unwrap();
        assert_eq!((second.since_ms, second.reason.as_str()), (first.since_ms, "two"));
        reachability.found();
        assert_eq!(reachability.outage(Party::Bus), None);
        let ended = reachability.take_ended(Party::Bus);
        assert_eq!((ended.len(), ended[0].since_ms), (1, first.since_ms));
        assert!(reachability.take_ended(Party::Bus).is_empty());
    }
}
