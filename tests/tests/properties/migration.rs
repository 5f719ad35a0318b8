//! One migration: the tailer and the applier as processes, the test as coordinator, copier and indexer.

use std::{path::Path, time::Duration};

use bson::doc;
use mongoferry_bus::{Bus, key};
use mongoferry_mongo::{
    Cluster, Fenced, append_note, finalize, identity, last_optimes, prepare_finalization, wait_for_majority,
};
use mongoferry_protocol::{CutoverMode, MigrationSettings, Optime, Phase, PhaseRecord, StartPoint, now_ms};
use mongoferry_testbed::differences;
use tempfile::TempDir;

use mongoferry_tests::StageProcess;

use crate::{history::Fault, servers::Servers, tally::Tally};

const LANES: u32 = 3;
const PATIENCE: Duration = Duration::from_secs(120);
const LOOK_AGAIN: Duration = Duration::from_millis(10);

pub struct Migration<'a> {
    pub source: Cluster,
    pub destination: Cluster,
    pub bus: Bus,
    servers: &'a Servers,
    id: String,
    instance: String,
    logs: TempDir,
    tailer: Option<StageProcess>,
    applier: Option<StageProcess>,
}

impl<'a> Migration<'a> {
    pub async fn create(servers: &'a Servers, id: &str) -> Self {
        let bus = servers.bus(id).await;
        let source = Cluster::connect(&servers.source.uri(), "test").await.expect("connects");
        let destination = Cluster::connect(&servers.destination.uri(), "test").await.expect("connects");
        let settings = MigrationSettings {
            id: id.parse().expect("an id"),
            source: identity(&source).await.expect("answers"),
            destination: identity(&destination).await.expect("answers"),
            cutover: CutoverMode::Manual,
            cutover_limit_ms: 600_000,
            verify: true,
            lanes: LANES,
            created_at_ms: now_ms(),
        };
        bus.records().put(&key::settings(), &settings).await.expect("stored");
        let logs = tempfile::tempdir().expect("a directory");
        Self {
            source,
            destination,
            bus,
            servers,
            id: id.to_owned(),
            instance: "one".to_owned(),
            logs,
            tailer: None,
            applier: None,
        }
    }

    /// Until the tailer has chosen where it begins, and stored its first batch.
    pub async fn capture(&mut self) -> StartPoint {
        self.enter(Phase::Starting).await;
        self.tailer = Some(self.start_tailer());
        let start = self.until("a start point", async |migration| {
            migration.bus.records().get(&key::start_point()).await.expect("readable").map(|record| record.value)
        });
        let start = start.await;
        self.enter(Phase::Copying).await;
        start
    }

    /// To be called when everything is copied.
    pub async fn replay(&mut self) {
        self.servers.expire_on_destination(true).await;
        self.enter(Phase::CatchingUp).await;
        self.applier = Some(self.start_applier());
    }

    async fn enter(&self, phase: Phase) {
        let record = PhaseRecord { phase, ..PhaseRecord::created() };
        self.bus.records().put(&key::phase(), &record).await.expect("stored");
    }

    fn start_tailer(&self) -> StageProcess {
        self.start("mongoferry-oplog-tailer", &[("MONGOFERRY_SOURCE", &self.servers.source.uri())])
    }

    fn start_applier(&self) -> StageProcess {
        let (source, destination) = (self.servers.source.uri(), self.servers.destination.uri());
        self.start("mongoferry-applier", &[("MONGOFERRY_SOURCE", &source), ("MONGOFERRY_DESTINATION", &destination)])
    }

    /// One that has the name of one that was killed takes over at once.
    fn start(&self, name: &str, uris: &[(&str, &str)]) -> StageProcess {
        let nats = self.servers.nats.url();
        let arguments = ["--id", &self.id, "--nats", &nats, "--instance", &self.instance];
        StageProcess::start(name, &arguments, uris, self.logs())
    }

    fn logs(&self) -> &Path {
        self.logs.path()
    }

    pub async fn befall(&mut self, fault: Fault, tally: &mut Tally) {
        match fault {
            Fault::Kill { after_ms } => {
                self.work_for(after_ms).await;
                self.applier.take().expect("is at work").kill();
                tally.fault(if self.work_is_left().await { "kill with work left" } else { "kill" });
                self.applier = Some(self.start_applier());
            }
            Fault::Sleep { after_ms } => {
                self.work_for(after_ms).await;
                let mut sleeper = self.applier.take().expect("is at work");
                sleeper.suspend();
                "two".clone_into(&mut self.instance);
                self.applier = Some(self.start_applier());
                self.work_for(100).await;
                sleeper.wake();
                self.expect_end(&mut sleeper).await;
                tally.fault("sleep through a takeover");
            }
            Fault::KillTailer => {
                self.tailer.take().expect("is at work").kill();
                self.tailer = Some(self.start_tailer());
                tally.fault("kill of the tailer");
            }
        }
    }

    /// Until the applier at work has begun its term, and for some time after that.
    async fn work_for(&mut self, milliseconds: u64) {
        self.until("the applier at work", async |migration| {
            let applier = migration.applier.as_ref().expect("was started");
            applier.log_text().contains("applying term=").then_some(())
        })
        .await;
        // The moment of the fault is drawn at random; nothing is awaited here.
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
    }

    /// Whether some lane stands behind the end of the source's oplog.
    async fn work_is_left(&self) -> bool {
        let last = last_optimes(&self.source).await.expect("answers").majority;
        let lanes = self.servers.observer.database("mongoferry").collection::<bson::Document>("lanes");
        let behind = doc! { "optime": { "$lt": bson::Timestamp { time: last.t, increment: last.i } } };
        lanes.find_one(behind).await.expect("answers").is_some()
    }

    /// A deposed applier ends and says that it may be started again.
    async fn expect_end(&self, deposed: &mut StageProcess) {
        let code = tokio::time::timeout(PATIENCE, deposed.exit_code()).await;
        assert_eq!(code.ok().flatten(), Some(1), "{}", deposed.log_text());
    }

    /// Everything applied, and the rest done that a cutover does. What differs between the two sides then.
    pub async fn conclude(&mut self) -> Vec<String> {
        let note = append_note(&self.source, doc! { "note": "the end" }).await.expect("answers").expect("is permitted");
        wait_for_majority(&self.source, note).await.expect("reaches a majority");
        self.until_applied(note).await;
        self.servers.expire_on_destination(false).await;
        let prepared = prepare_finalization(&self.source, Fenced::alone(&self.destination)).await.expect("prepares");
        assert!(prepared.problems.is_empty(), "{:?}", prepared.problems);
        let outcome = finalize(&self.source, Fenced::alone(&self.destination)).await.expect("finalizes");
        assert!(outcome.problems.is_empty(), "{:?}", outcome.problems);
        differences(&self.servers.user, &self.servers.observer).await.expect("both sides can be read")
    }

    async fn until_applied(&mut self, optime: Optime) {
        self.until("everything applied", async |migration| {
            let applied = migration.bus.records().get(&key::applied()).await.expect("readable");
            applied.is_some_and(|record| record.value.applied >= optime).then_some(())
        })
        .await;
    }

    async fn until<T>(&mut self, what: &str, mut found: impl AsyncFnMut(&Self) -> Option<T>) -> T {
        let began = tokio::time::Instant::now();
        loop {
            if let Some(found) = found(self).await {
                return found;
            }
            [&mut self.tailer, &mut self.applier].into_iter().flatten().for_each(StageProcess::assert_alive);
            assert!(began.elapsed() < PATIENCE, "never came: {what}; logs:\n{}", self.log_texts());
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// Of the processes at work.
    pub fn log_texts(&self) -> String {
        [&self.tailer, &self.applier].into_iter().flatten().map(StageProcess::log_text).collect()
    }

    pub async fn end(mut self) {
        self.applier = None;
        self.tailer = None;
        self.source.shutdown().await;
        self.destination.shutdown().await;
    }
}
