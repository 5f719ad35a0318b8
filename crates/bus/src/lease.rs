//! At most one active process of a role: a key renewed by compare-and-set.
//!
//! A standby takes over when its own clock saw no new revision for [`TAKE_OVER_AFTER`]; the holder stops acting when its
//! own clock saw no confirmed renewal for [`HELD_FOR`], which is less. No wall clock and no server-side expiry is involved.
//! A process of the same instance name takes over at once: whoever gives out that name knows that its former bearer ended.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_nats::jetstream::kv::{CreateErrorKind, Entry, Operation, Store, UpdateErrorKind};
use mongoferry_protocol::{decode, encode};
use serde::{Deserialize, Serialize};
use tokio::{sync::watch, task::JoinHandle, time::Instant};

use crate::{Bus, BusError, SuspendedClock, key};

pub const TAKE_OVER_AFTER: Duration = Duration::from_secs(10);
const HELD_FOR: Duration = Duration::from_secs(8);
const RENEW: Duration = Duration::from_secs(2);
const LOOK: Duration = Duration::from_millis(500);

#[derive(Serialize, Deserialize)]
struct Holder {
    instance: String,
    /// Grows with each renewal, so that each is a new value.
    renewals: u64,
}

/// A lease that is held. Released by [`Lease::release`]; dropped, it runs out.
pub struct Lease {
    name: String,
    state: Arc<State>,
    lost: watch::Receiver<bool>,
    renew: JoinHandle<()>,
    store: Store,
    taken_over: bool,
}

struct State {
    lost: AtomicBool,
    confirmed: Mutex<(SuspendedClock, u64)>,
}

impl Bus {
    /// Waits until the lease `name` is free or run out, and takes it.
    pub async fn acquire_lease(&self, name: &str, instance: &str) -> Result<Lease, BusError> {
        let store = self.records().store.clone();
        let key = key::lease(name);
        let mut seen: Option<(u64, Instant)> = None;
        let mut taken_over = false;
        loop {
            let entry = store.entry(&key).await.map_err(|cause| BusError::failed("read a lease", cause))?;
            let asked = SuspendedClock::now();
            let taken = match entry.filter(|entry| entry.operation == Operation::Put) {
                None => create(&store, &key, instance).await?,
                Some(entry) if may_take(&entry, instance, &mut seen)? => {
                    taken_over = seen.is_some();
                    update(&store, &key, instance, 0, entry.revision).await?
                }
                Some(_) => None,
            };
            if let Some(revision) = taken {
                let mut lease = Lease::hold(store, name, instance, asked, revision);
                lease.taken_over = taken_over;
                return Ok(lease);
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

/// Remembers in `seen` since when the lease has stood at the same revision.
fn may_take(entry: &Entry, instance: &str, seen: &mut Option<(u64, Instant)>) -> Result<bool, BusError> {
    let holder: Holder = decode(&entry.value)?;
    if holder.instance == instance {
        return Ok(true);
    }
    match seen {
        Some((revision, since)) if *revision == entry.revision => Ok(since.elapsed() >= TAKE_OVER_AFTER),
        _ => {
            *seen = Some((entry.revision, Instant::now()));
            Ok(false)
        }
    }
}

async fn create(store: &Store, key: &str, instance: &str) -> Result<Option<u64>, BusError> {
    let holder = encode(&Holder { instance: instance.to_owned(), renewals: 0 })?;
    match store.create(key, holder.into()).await {
        Ok(revision) => Ok(Some(revision)),
        Err(error) if error.kind() == CreateErrorKind::AlreadyExists => Ok(None),
        Err(error) => Err(BusError::failed("create a lease", error)),
    }
}

async fn update(
    store: &Store,
    key: &str,
    instance: &str,
    renewals: u64,
    revision: u64,
) -> Result<Option<u64>, BusError> {
    let holder = encode(&Holder { instance: instance.to_owned(), renewals })?;
    match store.update(key, holder.into(), revision).await {
        Ok(revision) => Ok(Some(revision)),
        Err(error) if error.kind() == UpdateErrorKind::WrongLastRevision => Ok(None),
        Err(error) => Err(BusError::failed("renew a lease", error)),
    }
}

impl Lease {
    fn hold(store: Store, name: &str, instance: &str, asked: SuspendedClock, revision: u64) -> Self {
        let state = Arc::new(State { lost: AtomicBool::new(false), confirmed: Mutex::new((asked, revision)) });
        let (sender, lost) = watch::channel(false);
        let renew = tokio::spawn(renew(store.clone(), name.to_owned(), instance.to_owned(), state.clone(), sender));
        Self { name: name.to_owned(), state, lost, renew, store, taken_over: false }
    }

    /// Its former holder had fallen silent, instead of giving it up.
    pub fn was_taken_over(&self) -> bool {
        self.taken_over
    }

    /// Nobody else can hold the lease yet.
    pub fn still_held(&self) -> bool {
        !self.state.lost.load(Ordering::Acquire) && self.state.confirmed().0.elapsed() < HELD_FOR
    }

    /// An error if [`Lease::still_held`] does not hold.
    pub fn check(&self) -> Result<(), BusError> {
        if self.still_held() { Ok(()) } else { Err(BusError::LeaseLost { name: self.name.clone() }) }
    }

    /// Completes when the lease is lost.
    pub async fn lost(&self) -> BusError {
        let mut lost = self.lost.clone();
        // An error means that the renewing task ended, which it does only after a loss.
        let _ = lost.wait_for(|lost| *lost).await;
        BusError::LeaseLost { name: self.name.clone() }
    }

    /// Gives the lease up, so that a standby takes over at once. Call only when nothing in flight depends on it.
    pub async fn release(self) -> Result<(), BusError> {
        self.renew.abort();
        let revision = self.state.confirmed().1;
        // If the revision has moved on, somebody else holds it already.
        let _ = self.store.delete_expect_revision(key::lease(&self.name), Some(revision)).await;
        Ok(())
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.renew.abort();
    }
}

impl State {
    fn confirmed(&self) -> (SuspendedClock, u64) {
        *self.confirmed.lock().expect("no panic while the lease is locked")
    }
}

async fn renew(store: Store, name: String, instance: String, state: Arc<State>, lost: watch::Sender<bool>) {
    let key = key::lease(&name);
    let mut renewals = 0;
    loop {
        tokio::time::sleep(RENEW).await;
        renewals += 1;
        let (confirmed, revision) = state.confirmed();
        let asked = SuspendedClock::now();
        let renewed = if confirmed.elapsed() < HELD_FOR {
            update(&store, &key, &instance, renewals, revision).await
        } else {
            Ok(None)
        };
        match renewed {
            Ok(Some(revision)) => {
                *state.confirmed.lock().expect("no panic while the lease is locked") = (asked, revision)
            }
            Ok(None) => break,
            // No answer: the renewal may have taken effect, and then the revision is known only by reading it.
            Err(_) => adopt_own_renewal(&store, &key, &instance, &state, asked).await,
        }
    }
    state.lost.store(true, Ordering::Release);
    lost.send_replace(true);
}

/// Only a newer revision is seen by a standby too, so only that renews.
async fn adopt_own_renewal(store: &Store, key: &str, instance: &str, state: &State, asked: SuspendedClock) {
    if let Ok(Some(entry)) = store.entry(key).await
        && let Ok(holder) = decode::<Holder>(&entry.value)
        && holder.instance == instance
        && entry.revision > state.confirmed().1
    {
        *state.confirmed.lock().expect("no panic while the lease is locked") = (asked, entry.revision);
    }
}
