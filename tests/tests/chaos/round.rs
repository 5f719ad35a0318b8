//! One migration, with faults in every phase.

use std::time::Duration;

use mongoferry_protocol::{MigrationStatus, Phase};
use mongoferry_tests::{Migration, child_if_any, suspend};
use rand::{RngExt, rngs::StdRng, seq::SliceRandom};
use tempfile::TempDir;
use tokio::time::Instant;

use crate::{
    application::Application,
    arena::Arena,
    fault::{Fault, Side},
    ledger::{Ledger, Row},
    standby::{Held, Standbys},
};

/// Ranges are small, so that the copy has many moments.
const RANGE_MIB: &str = "2";
const FAULTS_WHILE_COPYING: u32 = 3;
const FAULTS_WHILE_READY: u32 = 3;
/// Some faults strike before the last one is got over.
const PATIENT: f64 = 0.8;

pub struct Round<'a> {
    pub number: u32,
    pub arena: &'a mut Arena,
    pub rng: &'a mut StdRng,
    pub migration: Option<Migration>,
    /// The command uses the arena's bus, and a second tailer and applier stand by.
    pub own_bus: bool,
    pub standbys: Standbys,
    ledger: &'a mut Ledger,
    faults: Vec<Fault>,
}

pub async fn play(number: u32, arena: &mut Arena, rng: &mut StdRng, ledger: &mut Ledger) {
    let own_bus = number % 2 == 1;
    eprintln!("migration {number}, {} bus", if own_bus { "the arena's" } else { "a private" });
    let state = tempfile::tempdir().expect("a directory");
    let application = Application::start(arena.clusters.source_client().await, u64::from(number)).await;
    let mut round = Round::begin(number, arena, rng, ledger, own_bus, &state);
    round.until_ready(&state).await;
    round.several(Phase::Ready, FAULTS_WHILE_READY).await;
    application.stop().await;
    round.cut_over().await;
    round.migration().end_committed().await;
    arena.clusters.assert_equal().await;
    arena.clear_destination().await;
}

impl<'a> Round<'a> {
    fn begin(
        number: u32,
        arena: &'a mut Arena,
        rng: &'a mut StdRng,
        ledger: &'a mut Ledger,
        own_bus: bool,
        state: &TempDir,
    ) -> Self {
        let mut builder = Migration::between(&arena.clusters, state.path())
            .source(&arena.uri(Side::Source))
            .destination(&arena.uri(Side::Destination))
            .environment("MONGOFERRY_COPIER_RANGE_MIB", RANGE_MIB)
            .argument(&format!("--id=chaos-{number}"));
        if own_bus {
            builder = builder.argument(&format!("--nats=nats://{}", arena.nats_proxy.address()));
        }
        let mut faults = Fault::all(own_bus);
        faults.shuffle(rng);
        let migration = Some(builder.start());
        let standbys = Standbys::none(state.path());
        Self { number, arena, rng, migration, own_bus, standbys, ledger, faults }
    }

    async fn until_ready(&mut self, state: &TempDir) {
        self.until("the copy is under way", |status| status.phase == Phase::Copying && status.bytes > 0).await;
        if self.own_bus {
            let (url, id) = (format!("nats://{}", self.arena.nats_proxy.address()), format!("chaos-{}", self.number));
            self.standbys = Standbys::start(self.arena, &url, &id, state.path());
        }
        self.several(Phase::Copying, FAULTS_WHILE_COPYING).await;
        let held = self.hold("applier");
        self.until_phase(Phase::CatchingUp).await;
        self.befall(Phase::CatchingUp, held).await;
        self.until_phase(Phase::Ready).await;
    }

    /// Faults, as long as the phase lasts.
    async fn several(&mut self, phase: Phase, count: u32) {
        for _ in 0..count {
            if self.status().await.phase != phase {
                return;
            }
            self.befall(phase, Held(Vec::new())).await;
        }
    }

    /// In each phase something is kept from being done until the fault is over, so that the phase lasts; behind draining by the
    /// servers, because a fault may end whatever process is held.
    async fn cut_over(&mut self) {
        let appliers = self.hold("applier");
        self.arena.hold_preparation().await;
        self.request_cutover().await;
        self.until_phase(Phase::Draining).await;
        self.befall(Phase::Draining, appliers).await;
        self.until_phase(Phase::Verifying).await;
        let fault = self.strike(Phase::Verifying).await;
        self.arena.hold_index_builds().await;
        self.note(fault, Phase::Verifying).await;
        self.until_phase(Phase::Finalizing).await;
        let fault = self.strike(Phase::Finalizing).await;
        self.arena.release_index_builds().await;
        self.ledger.add(Row {
            fault,
            phase: Phase::Finalizing,
            migration: self.number,
            continued_after: None,
            repeated: 0,
        });
    }

    /// A fault, the end of `held`, and work that goes on.
    async fn befall(&mut self, phase: Phase, held: Held) {
        let fault = self.strike(phase).await;
        drop(held);
        self.note(fault, phase).await;
    }

    async fn note(&mut self, fault: Fault, phase: Phase) {
        let patient = phase != Phase::Copying && phase != Phase::Ready || self.rng.random_bool(PATIENT);
        let continued_after = if patient { Some(self.until_it_goes_on(phase).await) } else { None };
        self.standbys.revive();
        let repeated = self.status().await.repeated_documents;
        self.ledger.add(Row { fault, phase, migration: self.number, continued_after, repeated });
    }

    /// The next fault, from its beginning to its end.
    async fn strike(&mut self, phase: Phase) -> Fault {
        let next = self.faults.iter().rposition(|fault| fault.fits(phase)).unwrap_or_else(|| {
            self.faults.extend(Fault::all(self.own_bus));
            self.faults.shuffle(self.rng);
            self.faults.iter().rposition(|fault| fault.fits(phase)).expect("some fault fits")
        });
        let fault = self.faults.remove(next);
        eprintln!("{:>3} {phase}: {fault}", self.number);
        self.inflict(fault).await;
        self.arena.check_running();
        fault
    }

    /// How long it takes from now until what is written from now on has come as far as it can in this phase.
    async fn until_it_goes_on(&mut self, phase: Phase) -> Duration {
        let healed = Instant::now();
        let now = self.arena.source_time().await;
        let before = self.status().await;
        let captured = move |status: &MigrationStatus| status.captured_optime.is_some_and(|optime| optime.t > now);
        let applied = move |status: &MigrationStatus| status.applied_optime.is_some_and(|optime| optime.t > now);
        let copied = move |status: &MigrationStatus| {
            let progress = |status: &MigrationStatus| (status.bytes, status.indexes.clone());
            progress(status) != progress(&before) || status.phase != phase
        };
        match phase {
            Phase::Copying => self.until("the copy goes on", |status| captured(status) && copied(status)).await,
            Phase::CatchingUp | Phase::Ready => self.until("applying goes on", applied).await,
            _ => self.until("the cutover goes on", |status| status.phase != phase).await,
        };
        healed.elapsed()
    }

    async fn request_cutover(&mut self) {
        let api = self.migration.as_ref().expect("is running").api_address().to_owned();
        let http = reqwest::Client::new();
        while self.status().await.phase != Phase::Draining {
            // Refused or not heard while somebody recovers; asked twice, it is begun once.
            let _ = http.post(format!("{api}/api/v1/commit")).send().await;
        }
    }

    /// Keeps all processes of the role from doing anything.
    fn hold(&self, role: &str) -> Held {
        let mut pids = self.standbys.hold(role);
        let child = child_if_any(self.migration.as_ref().expect("is running").pid(), &format!("mongoferry-{role}"));
        child.into_iter().for_each(suspend);
        pids.extend(child);
        Held(pids)
    }

    pub async fn status(&mut self) -> MigrationStatus {
        self.until("an answer", |_| true).await
    }

    pub async fn until_phase(&mut self, phase: Phase) {
        self.until(phase.as_str(), |status| status.phase == phase).await;
    }

    async fn until(&mut self, what: &str, wanted: impl Fn(&MigrationStatus) -> bool) -> MigrationStatus {
        self.standbys.revive();
        let migration = self.migration.as_mut().expect("is running");
        migration
            .wait_for(what, |status| {
                assert!(status.phase != Phase::Failed, "{:#?}", status.failures);
                let taken_back = status.warnings.iter().find(|warning| warning.code == "MF-CUTOVER-3");
                assert!(taken_back.is_none(), "{taken_back:#?}");
                wanted(status)
            })
            .await
    }

    fn migration(self) -> Migration {
        self.migration.expect("is running")
    }
}
