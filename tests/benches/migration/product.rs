//! The product, as a user starts it, with a bus of the bench's own so that its records can be read.

use bson::{Document, doc};
use mongodb::{Client, Collection};
use mongoferry_protocol::{MigrationStatus, Optime, Phase, PhaseStay, Report};
use mongoferry_testbed::NatsServer;
use mongoferry_tests::Migration;
use tempfile::TempDir;

use crate::{
    copy_records::{CopyRecords, copy_records},
    cost::{APPLIER, BUS, Cost},
    cpu_meter::{At, now},
    fixture::LIVELY,
    lane_transactions::LANES,
    load::Span,
    servers::Servers,
};

const NAME: &str = "bench";

pub struct Product {
    migration: Migration,
    bus: NatsServer,
    started_at: At,
    state: TempDir,
}

/// A copy, and what went before it.
pub struct Copied {
    /// From the first range taken to the last one acknowledged.
    pub copy: Cost,
    /// From the start of the command to the first range taken.
    pub start_up: Cost,
    pub records: CopyRecords,
}

/// A cutover, in milliseconds.
pub struct Cutover {
    pub downtime: u64,
    pub draining: u64,
    pub verifying: u64,
    pub finalizing: u64,
    /// On either side.
    pub verified_bytes: u64,
    pub cost: Cost,
}

impl Product {
    /// Starts a migration with two copiers.
    pub async fn start(servers: &Servers) -> Self {
        // Its own server, configured as the private one of a migration is: each acknowledged write is on disk.
        let bus = NatsServer::builder().start().await.expect("a bus starts");
        servers.meter.watch(bus.pid(), BUS);
        let state = tempfile::tempdir().expect("a directory");
        let started_at = now();
        let migration = Migration::between(&servers.clusters, state.path())
            .argument("--id")
            .argument(NAME)
            .argument("--nats")
            .argument(&bus.url())
            .argument("--copiers=2")
            .argument("--cutover=manual")
            .start();
        servers.meter.watch_tree(migration.pid());
        Self { migration, bus, started_at, state }
    }

    /// Waits until everything is copied and caught up with.
    pub async fn copied(&mut self, servers: &Servers) -> Copied {
        self.migration.wait_for("ready and idle", |status| status.phase == Phase::Ready && status.gap_closed).await;
        let records = copy_records(&self.bus, NAME).await;
        assert_eq!(records.lanes as usize, LANES, "as many as the bare loop has");
        let copy = servers.meter.cost(records.began_at, records.ended_at).of_product().doing(records.bytes);
        let start_up = servers.meter.cost(self.started_at, records.began_at).of_product();
        Copied { copy, start_up, records }
    }

    /// Lets applying rest; capture goes on.
    pub async fn pause(&mut self) {
        self.post("pause").await;
        self.migration.wait_for_phase(Phase::Paused).await;
    }

    /// Waits until the bus has `span`.
    pub async fn captured(&mut self, span: Span) {
        self.wait_for_optime("capture", span.last, |status| status.captured_optime).await;
    }

    /// From the order to go on until the last change of `span` is committed on the destination. What the applier did
    /// during the pause, since `paused_at`, counts too: it reads ahead.
    pub async fn apply(&mut self, servers: &Servers, span: Span, paused_at: At) -> Cost {
        let resumed_at = now();
        self.post("resume").await;
        self.wait_for_optime("apply", span.last, |status| status.applied_optime).await;
        let mut cost = servers.meter.cost(resumed_at, last_write(&servers.destination).await).of_product();
        let read_ahead = servers.meter.cost(paused_at, resumed_at).cpu;
        for (part, used) in read_ahead.into_iter().filter(|(part, _)| part == APPLIER) {
            *cost.cpu.entry(part).or_default() += used;
        }
        cost
    }

    /// Cuts over and waits for the command's end.
    pub async fn cut_over(mut self, servers: &Servers) -> Cutover {
        self.migration.wait_for("ready and idle", |status| status.phase == Phase::Ready && status.gap_closed).await;
        self.post("commit").await;
        self.migration.end_committed().await;
        self.bus.stop().await;
        let report = std::fs::read(self.state.path().join("state/report.json")).expect("a report is left");
        let report: Report = serde_json::from_slice(&report).expect("is a report");
        let stay = |phase| report.phases.iter().rfind(|stay| stay.phase == phase).expect("every cutover enters it");
        let [draining, verifying, finalizing] =
            [Phase::Draining, Phase::Verifying, Phase::Finalizing].map(|phase| stay(phase).duration_ms);
        let cost = servers.meter.cost(began_at(stay(Phase::Draining)), began_at(stay(Phase::Committed)));
        Cutover {
            downtime: report.write_downtime_ms.expect("is set once committed"),
            draining,
            verifying,
            finalizing,
            verified_bytes: report.verified_bytes,
            cost: cost.of_product().doing(1),
        }
    }

    async fn post(&self, call: &str) {
        let answer = self.migration.post(call).await;
        assert_eq!(answer["success"], true, "{call}: {answer}");
    }

    async fn wait_for_optime(&mut self, what: &str, wanted: Optime, of: impl Fn(&MigrationStatus) -> Option<Optime>) {
        self.migration.wait_for(what, |status| of(status) >= Some(wanted)).await;
    }
}

fn began_at(stay: &PhaseStay) -> At {
    stay.entered_at_ms as At
}

/// When the last transaction on the lively collections was committed, by the destination's own oplog.
async fn last_write(destination: &Client) -> At {
    let oplog: Collection<Document> = destination.database("local").collection("oplog.rs");
    let filter = doc! { "op": "c", "o.applyOps.ns": { "$regex": format!("^{LIVELY}\\.") } };
    let last = oplog.find_one(filter).sort(doc! { "$natural": -1 }).await.expect("the oplog is readable");
    let wall = *last.expect("something was applied").get_datetime("wall").expect("entries are timed");
    wall.timestamp_millis() as At
}
