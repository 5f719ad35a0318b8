//! What the API shows and where it sends commands. It outlives the leading: while the bus is away nobody leads, and that is what
//! the operator then wants to know.

use mongoferry_bus::{BusError, key};
use mongoferry_protocol::{
    Event, MigrationSettings, MigrationStatus, OutageStatus, Party, Report, ValidationReport, now_ms,
};
use mongoferry_stage::Stage;
use tokio::sync::{broadcast, mpsc, watch};

use crate::{command::Request, liveness::Liveness, outages::outages};

/// What a coordinator that leads, or led last, shows.
#[derive(Clone)]
pub struct Led {
    pub settings: MigrationSettings,
    pub status: watch::Receiver<MigrationStatus>,
    pub report: watch::Receiver<Report>,
    pub requests: mpsc::Sender<Request>,
    pub liveness: Liveness,
}

/// Cheap to clone; clones share what is shown.
#[derive(Clone)]
pub struct Board {
    stage: Stage,
    events: broadcast::Sender<Event>,
    led: watch::Sender<Option<Led>>,
}

/// For a follower that is slow to take them.
const EVENTS_KEPT: usize = 256;

impl Board {
    pub fn new(stage: &Stage) -> Self {
        Self { stage: stage.clone(), events: broadcast::channel(EVENTS_KEPT).0, led: watch::channel(None).0 }
    }

    pub fn show(&self, led: Led) {
        self.led.send_replace(Some(led));
    }

    /// Another process may lead from now on: what is known here is shown only while nobody can.
    pub fn led(&self) -> Option<Led> {
        let led = self.led.borrow().clone()?;
        (!led.requests.is_closed() || self.bus_is_away()).then_some(led)
    }

    pub fn stage(&self) -> &Stage {
        &self.stage
    }

    /// What the validator found; `None` before it has ended.
    pub async fn validation(&self) -> Result<Option<ValidationReport>, BusError> {
        let found = self.stage.bus.records().get(&key::validation()).await?;
        Ok(found.map(|found| found.value))
    }

    /// To whoever follows.
    pub fn tell(&self, event: Event) {
        // Mostly nobody does.
        let _ = self.events.send(event);
    }

    /// The events from now on.
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    /// Until this process is to end.
    pub async fn stopped(&self) {
        self.stage.stopping.cancelled().await;
    }

    /// The status as it was last looked at, with the legs that are down right now.
    pub fn status(&self) -> Option<MigrationStatus> {
        let led = self.led()?;
        let mut status = led.status.borrow().clone();
        status.outages = self.outages(&led.liveness);
        status.copiers = led.liveness.processes();
        Some(status)
    }

    fn outages(&self, liveness: &Liveness) -> Vec<OutageStatus> {
        let own = self.stage.outages();
        let others = liveness.outages();
        let own = own.iter().map(|outage| (self.stage.instance.as_str(), outage));
        let others = others.iter().filter(|(instance, _)| *instance != self.stage.instance);
        outages(own.chain(others.map(|(instance, outage)| (instance.as_str(), outage))), now_ms())
    }

    fn bus_is_away(&self) -> bool {
        self.stage.outages().iter().any(|outage| outage.party == Party::Bus)
    }
}
