//! Who is alive: the last heartbeat of each process.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use mongoferry_bus::{Bus, BusError};
use mongoferry_protocol::{CopierStatus, Failure, Heartbeat, Outage, Role};
use tokio::time::Instant;

/// Follows the heartbeats in the background.
#[derive(Clone)]
pub struct Liveness(Arc<Mutex<BTreeMap<String, (Heartbeat, Instant)>>>);

/// A process silent for longer is not shown any more.
const FORGET_AFTER: Duration = Duration::from_secs(60);
/// What it said of others holds this long.
const SPEAKS_FOR: Duration = Duration::from_secs(5);

impl Liveness {
    pub async fn follow(bus: &Bus) -> Result<Self, BusError> {
        let mut heartbeats = bus.heartbeats().await?;
        let known = Self(Arc::default());
        let followed = known.clone();
        tokio::spawn(async move {
            while let Some(heartbeat) = heartbeats.next().await {
                followed.lock().insert(heartbeat.instance.clone(), (heartbeat, Instant::now()));
            }
        });
        Ok(known)
    }

    pub fn processes(&self) -> Vec<CopierStatus> {
        let mut known = self.lock();
        known.retain(|_, (_, seen)| seen.elapsed() < FORGET_AFTER);
        known.values().map(|(heartbeat, seen)| process(heartbeat, *seen)).collect()
    }

    /// Whether a process of the role gave a sign of life a moment ago.
    pub fn is_alive(&self, role: Role) -> bool {
        self.lock().values().any(|(heartbeat, seen)| heartbeat.role == role && seen.elapsed() < SPEAKS_FOR)
    }

    /// Those of them, by instance name.
    pub fn alive(&self, role: Role) -> BTreeSet<String> {
        let known = self.lock();
        let alive = known.values().filter(|(heartbeat, seen)| heartbeat.role == role && seen.elapsed() < SPEAKS_FOR);
        alive.map(|(heartbeat, _)| heartbeat.instance.clone()).collect()
    }

    /// What processes that are alive do not reach, by instance name.
    pub fn outages(&self) -> Vec<(String, Outage)> {
        let known = self.lock();
        let alive = known.values().filter(|(_, seen)| seen.elapsed() < SPEAKS_FOR);
        let outages = alive.flat_map(|(heartbeat, _)| {
            heartbeat.outages.iter().map(|outage| (heartbeat.instance.clone(), outage.clone()))
        });
        outages.collect()
    }

    /// What processes that are alive fail at and try again.
    pub fn troubles(&self) -> Vec<Failure> {
        let known = self.lock();
        let alive = known.values().filter(|(_, seen)| seen.elapsed() < SPEAKS_FOR);
        alive.flat_map(|(heartbeat, _)| heartbeat.troubles.clone()).collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, (Heartbeat, Instant)>> {
        self.0.lock().expect("no panic while the heartbeats are locked")
    }
}

fn process(heartbeat: &Heartbeat, seen: Instant) -> CopierStatus {
    CopierStatus {
        role: heartbeat.role.to_string(),
        instance: heartbeat.instance.clone(),
        host: heartbeat.host.clone(),
        pid: heartbeat.pid,
        active: heartbeat.active,
        activity: heartbeat.activity.clone(),
        seen_ms_ago: seen.elapsed().as_millis() as u64,
    }
}
