//! What a running stage has at hand.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use metrics_exporter_prometheus::PrometheusHandle;
use mongoferry_bus::{Bus, BusError, Lease, PhaseWatch};
use mongoferry_protocol::{Heartbeat, Outage, Party, Reachability, Role, now_ms};
use tokio_util::sync::CancellationToken;

use crate::{
    ledger::Ledger,
    troubles::{Trouble, Troubles},
};

/// The connections and signals of a stage. Cheap to clone.
#[derive(Clone)]
pub struct Stage {
    pub role: Role,
    pub instance: String,
    pub bus: Bus,
    pub phases: PhaseWatch,
    /// Cancelled when the process is to end; work ends between two units.
    pub stopping: CancellationToken,
    pub metrics: PrometheusHandle,
    /// Cancelled once the stage has connected to everything: /readyz turns green.
    pub ready: CancellationToken,
    pub(crate) ledger: Ledger,
    activity: Arc<Activity>,
}

struct Activity {
    text: Mutex<String>,
    parties: Mutex<Vec<(Party, Reachability)>>,
    troubles: Troubles,
    active: AtomicBool,
}

impl Stage {
    pub(crate) fn new(
        role: Role,
        instance: String,
        bus: Bus,
        stopping: CancellationToken,
        metrics: PrometheusHandle,
        ready: CancellationToken,
    ) -> Self {
        let activity = Activity {
            text: Mutex::new("starting".into()),
            parties: Mutex::new(vec![(Party::Bus, bus.reachability())]),
            troubles: Troubles::default(),
            active: AtomicBool::new(true),
        };
        let phases = bus.phases();
        Self {
            role,
            instance,
            bus,
            phases,
            stopping,
            metrics,
            ready,
            ledger: Ledger::default(),
            activity: Arc::new(activity),
        }
    }

    /// Tells what the process does right now, for heartbeats; a lower-case fragment.
    pub fn set_activity(&self, text: impl Into<String>) {
        *self.activity.text.lock().expect("no panic while the activity is locked") = text.into();
    }

    /// From now on heartbeats tell whether the party is reached. A later connection to it takes the place of an earlier one.
    pub fn works_with(&self, party: Party, reachability: Reachability) {
        let mut parties = self.activity.parties.lock().expect("no panic while the parties are locked");
        parties.retain(|(known, _)| *known != party);
        parties.push((party, reachability));
    }

    /// Whom the process does not reach right now.
    pub fn outages(&self) -> Vec<Outage> {
        self.parties().iter().filter_map(|(party, reachability)| reachability.outage(*party)).collect()
    }

    pub(crate) fn parties(&self) -> Vec<(Party, Reachability)> {
        self.activity.parties.lock().expect("no panic while the parties are locked").clone()
    }

    pub(crate) fn trouble(&self) -> Trouble {
        self.activity.troubles.of_unit()
    }

    /// Waits for the role's lease; `None` if the process is to end first. Until then it stands by.
    pub async fn lease(&self) -> Result<Option<Lease>, BusError> {
        self.activity.active.store(false, Ordering::Relaxed);
        self.set_activity("standing by");
        tokio::select! {
            () = self.stopping.cancelled() => Ok(None),
            lease = self.bus.acquire_lease(self.role.as_str(), &self.instance) => {
                self.activity.active.store(true, Ordering::Relaxed);
                self.set_activity("active");
                let lease = lease?;
                self.note(|process| process.takeovers += u32::from(lease.was_taken_over()));
                Ok(Some(lease))
            }
        }
    }

    pub(crate) fn heartbeat(&self) -> Heartbeat {
        Heartbeat {
            role: self.role,
            instance: self.instance.clone(),
            version: env!("CARGO_PKG_VERSION").into(),
            pid: std::process::id(),
            host: rustix::system::uname().nodename().to_string_lossy().into_owned(),
            active: self.activity.active.load(Ordering::Relaxed),
            activity: self.activity.text.lock().expect("no panic while the activity is locked").clone(),
            outages: self.outages(),
            troubles: self.activity.troubles.now(),
            sent_at_ms: now_ms(),
        }
    }
}
