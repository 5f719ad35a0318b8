//! The migration, held in one phase after the other by commands that fail at a server.

use std::time::Duration;

use bson::doc;
use mongodb::Client;
use mongoferry_protocol::{IndexState, MigrationStatus, Optime, Phase, Report};
use mongoferry_testbed::{SeedSize, Workload, seed};
use mongoferry_tests::{Clusters, HeldCommands, Migration, kill};
use tempfile::TempDir;
use tokio::time::Instant;

use crate::{COPIERS, table::Table, victim::Victim};

const SEED_MIB: u64 = 60;
/// Inserts that get through for each victim, so that the copy goes on and yet lasts: about 1 MiB each.
const INSERTS: u32 = 4;

const VALIDATOR_WAITS: Duration = Duration::from_secs(5);

pub struct Held {
    source: Client,
    destination: Client,
    workload: Option<Workload>,
    migration: Option<Migration>,
    table: Table,
    _state: TempDir,
}

impl Held {
    pub async fn start(clusters: &Clusters) -> Self {
        let (source, destination) = (clusters.source_client().await, clusters.destination_client().await);
        seed::fill(&source, SeedSize { mib: SEED_MIB }).await.expect("the source is filled");
        let workload = Some(clusters.workload(50).await);
        HeldCommands::on(&source).delay("validator", &["listDatabases"], VALIDATOR_WAITS).await;
        HeldCommands::on(&destination).hold_after("copier", &["insert"], INSERTS).await;
        let state = tempfile::tempdir().expect("a directory");
        let migration = Migration::between(clusters, state.path())
            .argument(&format!("--copiers={COPIERS}"))
            .environment("MONGOFERRY_COPIER_RANGE_MIB", "1")
            .start();
        Self { source, destination, workload, migration: Some(migration), table: Table::default(), _state: state }
    }

    /// Before anything else runs. A validator that is killed ends the command, which is then started again.
    pub async fn in_validating(&mut self) {
        let migration = self.migration.take().expect("is running");
        kill(migration.child("mongoferry-validator", None).await);
        self.migration = Some(migration.start_again_once_ended().await);
        let migration = self.migration.take().expect("is running");
        migration.child("mongoferry-validator", None).await;
        HeldCommands::on(&self.source).hold("oplog-tailer", &["find", "aggregate", "getMore"]).await;
        self.migration = Some(migration.kill_and_start_again().await);
    }

    pub async fn in_starting(&mut self) {
        self.until_phase(Phase::Starting).await;
        self.kill_each("starting", Phase::Starting, |_, _| true).await;
        HeldCommands::on(&self.source).release().await;
    }

    pub async fn in_copying(&mut self) {
        let copied = |status: &MigrationStatus| status.phase == Phase::Copying && status.bytes > 0;
        self.migration().wait_for("the copy is under way", copied).await;
        for victim in Victim::ALL {
            let before = self.status().await.bytes;
            self.kill(victim, "copying", Phase::Copying, captured).await;
            HeldCommands::on(&self.destination).hold_after("copier", &["insert"], INSERTS).await;
            self.migration().wait_for("the copy goes on", |status| status.bytes > before).await;
        }
    }

    /// Documents in the largest range there can be.
    pub async fn largest_range(&mut self) -> u64 {
        let collections = self.status().await.collections;
        let in_range = |ranges: u32, documents: u64| documents.div_ceil(u64::from(ranges.max(1)));
        collections.iter().map(|one| 2 * in_range(one.ranges_total, one.documents_total)).max().unwrap_or(0)
    }

    /// The number of indexes that were built when the first kill fell.
    pub async fn in_indexing(&mut self) -> u64 {
        HeldCommands::on(&self.destination).hold("indexer", &["createIndexes"]).await;
        let copied = |status: &MigrationStatus| status.collections.iter().all(|collection| collection.complete);
        self.migration().wait_for("everything is copied", copied).await;
        let built = self.built_indexes().await;
        self.kill_each("indexing", Phase::Copying, captured).await;
        HeldCommands::on(&self.destination).hold("applier", &["find", "update", "insert"]).await;
        built
    }

    pub async fn built_indexes(&mut self) -> u64 {
        let indexes = self.status().await.indexes;
        indexes.iter().filter(|index| index.state == IndexState::Built).count() as u64
    }

    pub async fn in_catching_up(&mut self) {
        self.until_phase(Phase::CatchingUp).await;
        // From here on nothing is verified ahead either, so that the verification lasts.
        HeldCommands::on(&self.source).hold("verifier", &["find", "aggregate", "getMore"]).await;
        self.kill_each("catching up", Phase::CatchingUp, captured).await;
        HeldCommands::on(&self.destination).release().await;
    }

    pub async fn in_ready(&mut self) {
        self.until_phase(Phase::Ready).await;
        self.kill_each("ready", Phase::Ready, |status, now| captured(status, now) && applied(status, now)).await;
    }

    pub async fn in_paused(&mut self) {
        self.migration().post("pause").await;
        self.until_phase(Phase::Paused).await;
        self.kill_each("paused", Phase::Paused, captured).await;
        self.migration().post("resume").await;
        self.until_phase(Phase::Ready).await;
    }

    pub async fn in_draining(&mut self) {
        self.workload.take().expect("runs").stop().await.expect("the workload met no error");
        HeldCommands::on(&self.destination).hold("applier", &["find", "update", "insert", "commitTransaction"]).await;
        self.migration().post("commit").await;
        self.until_phase(Phase::Draining).await;
        self.kill_each("draining", Phase::Draining, captured).await;
        HeldCommands::on(&self.destination).release().await;
    }

    pub async fn in_verifying(&mut self) {
        self.until_phase(Phase::Verifying).await;
        self.until_verifying().await;
        self.kill_each("verifying", Phase::Verifying, captured).await;
        self.until_verifying().await;
    }

    pub async fn in_finalizing(&mut self) {
        HeldCommands::on(&self.destination).hold("indexer", &["createIndexes", "collMod", "listIndexes"]).await;
        HeldCommands::on(&self.source).release().await;
        self.until_phase(Phase::Finalizing).await;
        self.kill_each("finalizing", Phase::Finalizing, captured).await;
        HeldCommands::on(&self.destination).release().await;
    }

    pub async fn end(mut self) -> (Report, Table) {
        let migration = self.migration.take().expect("is running");
        let report = migration.state_file("report.json");
        migration.end_committed().await;
        let report = std::fs::read_to_string(report).expect("the command left a report");
        (serde_json::from_str(&report).expect("the report is JSON"), self.table)
    }

    /// The indexer is done with preparing, and the verifier at work.
    async fn until_verifying(&mut self) {
        let at_work = |status: &MigrationStatus| {
            status.copiers.iter().any(|process| process.role == "verifier" && process.activity.starts_with("comparing"))
        };
        self.migration().wait_for("the verifier is at work", at_work).await;
    }

    async fn kill_each(
        &mut self,
        name: &'static str,
        phase: Phase,
        goes_on: impl Fn(&MigrationStatus, Optime) -> bool,
    ) {
        for victim in Victim::ALL {
            self.kill(victim, name, phase, &goes_on).await;
        }
    }

    /// Kills, and waits until the victim's successor lives and what is written on the source from then on has come as far as it
    /// can in this phase.
    async fn kill(
        &mut self,
        victim: Victim,
        name: &'static str,
        phase: Phase,
        goes_on: impl Fn(&MigrationStatus, Optime) -> bool,
    ) {
        let began;
        let mut killed = None;
        if victim == Victim::Command {
            let migration = self.migration.take().expect("is running");
            began = Instant::now();
            self.migration = Some(migration.kill_and_start_again().await);
            self.migration().wait_for_api().await;
        } else {
            let pid = self.migration().child(&victim.program(), None).await;
            began = Instant::now();
            kill(pid);
            killed = Some(pid);
        }
        let now = self.note().await;
        if victim == Victim::Bus {
            self.migration().child(&victim.program(), killed).await;
        }
        let lives = move |status: &MigrationStatus| Victim::ROLES.iter().all(|role| is_alive(status, *role, killed));
        let continues = |status: &MigrationStatus| {
            assert_ne!(status.phase, Phase::Failed, "{:#?}", status.failures);
            lives(status) && goes_on(status, now)
        };
        let status = self.migration().wait_for("it goes on", continues).await;
        assert_eq!(status.phase, phase, "{name} did not last");
        eprintln!("{name}: {} went on after {:.1?}", victim.name(), began.elapsed());
        self.table.add(victim, name, began.elapsed());
    }

    async fn until_phase(&mut self, phase: Phase) {
        self.migration().wait_for_phase(phase).await;
    }

    async fn status(&mut self) -> MigrationStatus {
        self.migration().wait_for("an answer", |_| true).await
    }

    fn migration(&mut self) -> &mut Migration {
        self.migration.as_mut().expect("is running")
    }

    /// What is captured or applied up to here was written after this call.
    async fn note(&self) -> Optime {
        let note = doc! {"appendOplogNote": 1, "data": {"kills": "time"}};
        let reply = self.source.database("admin").run_command(note).await.expect("the source takes a note");
        let time = reply.get_timestamp("operationTime").expect("a reply has a time");
        Optime::new(time.time, time.increment)
    }
}

/// As many processes of the role as there should be, without the one killed.
fn is_alive(status: &MigrationStatus, role: Victim, killed: Option<u32>) -> bool {
    let alive = status.copiers.iter().filter(|process| {
        process.role == role.name() && process.active && process.seen_ms_ago < 2_000 && Some(process.pid) != killed
    });
    alive.count() as u64 >= if role == Victim::Copier { COPIERS } else { 1 }
}

fn captured(status: &MigrationStatus, now: Optime) -> bool {
    status.captured_optime.is_some_and(|optime| optime >= now)
}

fn applied(status: &MigrationStatus, now: Optime) -> bool {
    status.applied_optime.is_some_and(|optime| optime >= now)
}
