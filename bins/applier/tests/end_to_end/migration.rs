//! A migration as far as the applier sees one; the test is everybody else.

use std::{path::PathBuf, time::Duration};

use bson::doc;
use mongodb::Client;
use mongoferry_bus::{Bus, BusOptions, key};
use mongoferry_mongo::{
    CatalogListing, Cluster, Fenced, append_note, choose_start_point, finalize, identity, last_optimes,
    wait_for_majority,
};
use mongoferry_protocol::{
    CaptureProgress, CutoverMode, MigrationSettings, Namespace, Optime, Phase, PhaseRecord, StartPoint, now_ms,
};
use mongoferry_testbed::{MongodVersion, NatsServer, ReplicaSet, ReplicaSetBuilder, assert_equal, differences};

use crate::{
    applier_process::ApplierProcess,
    capture::{self, Capture},
    copying,
};

const LANES: u32 = 4;
const PATIENCE: Duration = Duration::from_secs(120);
/// A member that was restarted says that it is in step a moment before all that it answers is.
const CATCHING_UP: Duration = Duration::from_secs(20);

pub struct Migration {
    pub bus: Bus,
    pub user: Client,
    pub source: Cluster,
    pub destination: Cluster,
    pub destination_set: ReplicaSet,
    start: StartPoint,
    capture: Capture,
    nats: NatsServer,
    source_set: ReplicaSet,
}

/// Both sides before the migration begins.
pub struct Sides {
    pub user: Client,
    source_set: ReplicaSet,
    destination_set: ReplicaSet,
}

impl Sides {
    pub async fn of(source: MongodVersion, destination: MongodVersion) -> Self {
        Self::with(source, ReplicaSet::builder().version(destination)).await
    }

    pub async fn with(source: MongodVersion, destination: ReplicaSetBuilder) -> Self {
        let source_set = ReplicaSet::builder().version(source).start().await.expect("a source");
        let destination_set = destination.start().await.expect("a destination");
        Self { user: source_set.client().await.expect("connects"), source_set, destination_set }
    }

    /// Chooses the start point and captures from now on.
    pub async fn begin(self) -> Migration {
        let Self { user, source_set, destination_set } = self;
        let nats = NatsServer::builder().start().await.expect("a bus");
        let options = BusOptions { url: nats.url(), user: None, password: None, credentials_file: None, replicas: 1 };
        let bus = Bus::connect(&options, &"test".parse().expect("an id")).await.expect("connects");
        let source = Cluster::connect(&source_set.uri(), "test").await.expect("connects");
        let destination = Cluster::connect(&destination_set.uri(), "test").await.expect("connects");
        let settings = MigrationSettings {
            id: "test".parse().expect("an id"),
            source: identity(&source).await.expect("answers"),
            destination: identity(&destination).await.expect("answers"),
            cutover: CutoverMode::Manual,
            cutover_limit_ms: 600_000,
            verify: true,
            lanes: LANES,
            created_at_ms: now_ms(),
        };
        bus.records().put(&key::settings(), &settings).await.expect("stored");
        let start = choose_start_point(&source).await.expect("a start point");
        bus.records().put(&key::start_point(), &start).await.expect("stored");
        let capture = capture::start(bus.clone(), source.clone(), start);
        Migration { bus, user, source, destination, destination_set, start, capture, nats, source_set }
    }
}

impl Migration {
    pub async fn copy(&self) {
        let listing = copying::list(&self.source, &self.destination, &self.bus).await;
        copying::copy(&self.source, &self.destination, &listing, self.start.apply_after).await;
        self.copied().await;
    }

    /// Lists the source and creates its collections, for a test that copies documents itself.
    pub async fn list(&self) -> CatalogListing {
        copying::list(&self.source, &self.destination, &self.bus).await
    }

    /// Says that everything is copied by now.
    pub async fn copied(&self) {
        let last = last_optimes(&self.source).await.expect("answers");
        let captured = CaptureProgress {
            captured: last.majority,
            captured_wall_ms: last.majority_wall_ms,
            last_change: last.majority,
            last_change_namespace: None::<Namespace>,
            last_expiry: Optime::ZERO,
            expiries: 0,
            entries_captured: 0,
            source_oldest: Optime::ZERO,
        };
        self.bus.records().put(&key::capture(), &captured).await.expect("stored");
    }

    pub async fn enter(&self, phase: Phase) {
        let record = PhaseRecord { phase, ..PhaseRecord::created() };
        self.bus.records().put(&key::phase(), &record).await.expect("stored");
    }

    pub fn start_applier(&self, instance: &str) -> ApplierProcess {
        let (source, destination) = (self.source_set.uri(), self.destination_set.uri());
        ApplierProcess::start(&self.nats.url(), &source, &destination, instance, &self.log())
    }

    pub fn log(&self) -> PathBuf {
        self.nats.state_dir().join("applier.log")
    }

    pub fn log_text(&self) -> String {
        std::fs::read_to_string(self.log()).unwrap_or_default()
    }

    pub async fn applied(&self) -> Optime {
        let applied = self.bus.records().get(&key::applied()).await.expect("readable");
        applied.map_or(Optime::ZERO, |record| record.value.applied)
    }

    /// Until the applier says that it has applied everything up to `optime`.
    pub async fn until_applied(&self, optime: Optime) {
        let waiting = async {
            while self.applied().await < optime {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        if tokio::time::timeout(PATIENCE, waiting).await.is_err() {
            panic!("{} instead of {optime} was applied; log:\n{}", self.applied().await, self.log_text());
        }
    }

    /// The end of the source's oplog.
    pub async fn note(&self) -> Optime {
        let note = append_note(&self.source, doc! {"note": "test"}).await.expect("answers").expect("is permitted");
        wait_for_majority(&self.source, note).await.expect("reaches a majority");
        note
    }

    /// Everything applied, and the rest done that a cutover does: both sides are equal.
    pub async fn assert_converged(&self) {
        let note = self.note().await;
        self.until_applied(note).await;
        let outcome = finalize(&self.source, Fenced::alone(&self.destination)).await.expect("finalizes");
        assert!(outcome.problems.is_empty(), "{:?}", outcome.problems);
        let destination = self.destination_set.client().await.expect("connects");
        assert_equal(&self.user, &destination).await;
        if self.destination_set.member_count() > 1 {
            self.assert_members_equal(&destination).await;
        }
    }

    /// What a server replicates need not be what it did: the next primary must hold the same.
    async fn assert_members_equal(&self, destination: &Client) {
        let members = self.destination_set.member_count();
        let at_rest = async {
            while !is_at_rest(destination).await {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        tokio::time::timeout(PATIENCE, at_rest).await.expect("every member has everything");
        for member in 0..members {
            let member = self.destination_set.client_of_member(member).await.expect("connects");
            let equal = async {
                while !differences(&self.user, &member).await.expect("both are read").is_empty() {
                    tokio::time::sleep(Duration::from_millis(500)).await;
                }
            };
            if tokio::time::timeout(CATCHING_UP, equal).await.is_err() {
                assert_equal(&self.user, &member).await;
            }
        }
    }

    pub async fn end(self) {
        self.capture.end().await;
        self.source.shutdown().await;
        self.destination.shutdown().await;
        self.user.shutdown().immediate(true).await;
        drop(self.source_set);
    }
}

/// All members take reads, and have applied what the primary has.
async fn is_at_rest(set: &Client) -> bool {
    let status = set.database("admin").run_command(doc! { "replSetGetStatus": 1 }).await.expect("answers");
    let members: Vec<_> =
        status.get_array("members").expect("members").iter().flat_map(|one| one.as_document()).collect();
    let optimes: Vec<_> = members.iter().map(|one| one.get_document("optime").ok()).collect();
    members.iter().all(|one| matches!(one.get_i32("state"), Ok(1 | 2)))
        && optimes.windows(2).all(|two| two[0] == two[1])
}
