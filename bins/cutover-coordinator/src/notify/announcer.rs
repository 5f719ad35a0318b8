//! The loop beside the coordinator's: notices, records, tells.

use std::time::Duration;

use futures_util::future::join_all;
use mongoferry_bus::{BusError, Records, Versioned, key};
use mongoferry_protocol::{Announced, Event, MigrationStatus, now_ms};
use mongoferry_stage::CancellationToken;
use tokio::sync::{Mutex, watch};

use super::{
    news::news,
    target::{Target, Targets},
};
use crate::board::Board;

const LOOK_EVERY: Duration = Duration::from_secs(1);
/// At the end of the process, for what is still to be told.
const LAST_WORDS: Duration = Duration::from_secs(5);
/// Where nobody takes them, the oldest are dropped.
const PENDING: usize = 200;

pub struct Announcer<'a> {
    records: &'a Records,
    targets: &'a Targets,
    board: &'a Board,
    status: watch::Receiver<MigrationStatus>,
    /// What was announced as it stands on the bus; `None` until it was read, or after somebody else wrote it.
    known: Mutex<Option<Versioned<Announced>>>,
    /// Counts the looks, for those who wait for something to tell.
    looks: watch::Sender<u64>,
}

impl<'a> Announcer<'a> {
    pub fn new(
        records: &'a Records,
        targets: &'a Targets,
        board: &'a Board,
        status: watch::Receiver<MigrationStatus>,
    ) -> Self {
        Self { records, targets, board, status, known: Mutex::new(None), looks: watch::channel(0).0 }
    }

    /// Until the process is to end. While the bus is away nothing is told; afterwards what happened meanwhile is.
    pub async fn run(self, stopping: &CancellationToken) {
        tokio::select! {
            () = stopping.cancelled() => {}
            () = self.notice_all() => {}
            _ = join_all(self.targets.iter().map(|target| self.tell_all(target))), if !self.targets.is_empty() => {}
        }
        let last_words = async {
            self.notice().await;
            join_all(self.targets.iter().map(|target| self.tell_rest(target))).await;
        };
        if tokio::time::timeout(LAST_WORDS, last_words).await.is_err() {
            tracing::warn!("not everybody could be told of the last events; the next start tells them");
        }
    }

    /// A phase at once, the rest within a second.
    async fn notice_all(&self) {
        let mut status = self.status.clone();
        loop {
            self.notice().await;
            let phases = self.known.lock().await.as_ref().map_or(u64::MAX, |known| known.value.phases);
            let entered = status.wait_for(|status| status.phases.len() as u64 > phases);
            if let Ok(Err(_)) = tokio::time::timeout(LOOK_EVERY, entered).await {
                // Nothing will happen any more.
                std::future::pending::<()>().await;
            }
        }
    }

    async fn tell_all(&self, target: &Target) {
        let mut looks = self.looks.subscribe();
        loop {
            self.tell_rest(target).await;
            if looks.changed().await.is_err() {
                return;
            }
        }
    }

    /// Each in its own order and at its own pace.
    async fn tell_rest(&self, target: &Target) {
        let key = target.key();
        while let Some(event) = self.next_for(&key).await {
            target.deliver(&event).await;
            let told = |announced: &mut Announced| {
                announced.told.insert(key.clone(), event.number);
                Vec::new()
            };
            self.change(told).await;
        }
    }

    async fn next_for(&self, target: &str) -> Option<Event> {
        let known = self.known.lock().await;
        let announced = &known.as_ref()?.value;
        let told = announced.told.get(target).copied()?;
        announced.pending.iter().find(|event| event.number > told).cloned()
    }

    async fn notice(&self) {
        // Of the same look, with the legs that are down right now.
        let status = self.board.status().unwrap_or_else(|| self.status.borrow().clone());
        let targets: Vec<String> = self.targets.iter().map(Target::key).collect();
        let happened = |announced: &mut Announced| {
            // One that is new is told what happens from now on.
            let before = announced.events;
            announced.told.retain(|target, _| targets.contains(target));
            for target in &targets {
                announced.told.entry(target.clone()).or_insert(before);
            }
            let events = news(announced, &status, now_ms());
            announced.pending.extend(events.iter().cloned());
            forget_told(announced);
            events
        };
        for event in self.change(happened).await {
            tracing::info!(event = event.id, kind = event.event.as_str(), code = event.code, "{}", event.message);
            self.board.tell(event);
        }
        self.looks.send_modify(|looks| *looks += 1);
    }

    /// What `change` gives, once it is recorded; nothing if it could not be, and then it is asked again later.
    async fn change(&self, change: impl Fn(&mut Announced) -> Vec<Event>) -> Vec<Event> {
        let mut known = self.known.lock().await;
        match self.try_change(&mut known, change).await {
            Ok(events) => events,
            Err(error) => {
                tracing::debug!(%error, "what was announced could not be recorded");
                *known = None;
                Vec::new()
            }
        }
    }

    async fn try_change(
        &self,
        known: &mut Option<Versioned<Announced>>,
        change: impl Fn(&mut Announced) -> Vec<Event>,
    ) -> Result<Vec<Event>, BusError> {
        let key = key::announced();
        let before = match known.take() {
            Some(known) => Some(known),
            None => self.records.get(&key).await?,
        };
        let mut value = before.as_ref().map(|before| before.value.clone()).unwrap_or_default();
        let events = change(&mut value);
        let revision = match before {
            Some(before) if before.value == value => Some(before.revision),
            Some(before) => self.records.update(&key, &value, before.revision).await?,
            None => self.records.create(&key, &value).await?,
        };
        let Some(revision) = revision else { return Ok(Vec::new()) };
        *known = Some(Versioned { value, revision });
        Ok(events)
    }
}

/// What everybody was told is no longer kept; without anybody, nothing is.
fn forget_told(announced: &mut Announced) {
    let all_told = announced.told.values().copied().min().unwrap_or(u64::MAX);
    announced.pending.retain(|event| event.number > all_told);
    let untold = announced.pending.len().saturating_sub(PENDING);
    if untold > 0 {
        tracing::warn!(untold, "somebody does not take the events; the oldest are dropped");
    }
    announced.pending.drain(..untold);
}
