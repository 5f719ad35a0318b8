//! How long a role is without somebody who acts, from the signal that took its process to the first deed of another.

use std::{net::TcpListener, time::Duration};

use mongodb::{Client, bson::doc};
use mongoferry_protocol::{CopierStatus, MigrationStatus, Phase};
use mongoferry_testbed::NatsServer;
use mongoferry_tests::{Clusters, Migration, StageProcess, kill, suspend, wake};
use tokio::time::{Instant, sleep};

/// What is promised, and what a machine that runs other tests meanwhile may add.
const PROMISED: Duration = Duration::from_secs(15);
const BUSY: Duration = Duration::from_secs(5);
const ANSWERS_WITHIN: Duration = Duration::from_secs(1);
const POLL: Duration = Duration::from_millis(50);
const PATIENCE: Duration = Duration::from_secs(120);

const COORDINATOR: &str = "cutover-coordinator";

#[derive(Clone, Copy, Debug, PartialEq)]
enum Signal {
    Kill,
    Stop,
}

/// A migration that is ready, and a second process of one role.
struct Scene {
    role: &'static str,
    clusters: Clusters,
    source: Client,
    migration: Migration,
    standby: StageProcess,
    /// The addresses at which a coordinator may answer, the migration's own first.
    apis: Vec<String>,
    http: reqwest::Client,
    _nats: NatsServer,
    _state: tempfile::TempDir,
}

impl Scene {
    async fn ready(role: &'static str) -> Self {
        let clusters = Clusters::seeded(2).await;
        let source = clusters.source_client().await;
        let nats = NatsServer::builder().start().await.expect("nats-server starts");
        let state = tempfile::tempdir().expect("a directory");
        let mut migration = Migration::between(&clusters, state.path())
            .argument(&format!("--nats={}", nats.url()))
            .argument("--id=takeover")
            .start();
        migration.wait_for_phase(Phase::Ready).await;
        let settings = [
            ("MONGOFERRY_SOURCE", clusters.source.uri()),
            ("MONGOFERRY_DESTINATION", clusters.destination.uri()),
            ("MONGOFERRY_NATS", nats.url()),
            ("MONGOFERRY_ID", "takeover".to_owned()),
        ];
        let settings: Vec<_> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let mut apis = vec![migration.api_address().to_owned()];
        let mut arguments = vec!["--instance=standby".to_owned()];
        if role == COORDINATOR {
            let port = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
            let listen = port.expect("a port is free").to_string();
            apis.push(format!("http://{listen}"));
            arguments.push(format!("--listen={listen}"));
        }
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let standby = StageProcess::start(&format!("mongoferry-{role}"), &arguments, &settings, state.path());
        let http = reqwest::Client::builder().timeout(ANSWERS_WITHIN).build().expect("a client");
        Self { role, clusters, source, migration, standby, apis, http, _nats: nats, _state: state }
    }

    /// The first status that `wanted` accepts, from whoever leads.
    async fn wait_for(&self, what: &str, wanted: impl Fn(&MigrationStatus) -> bool) -> MigrationStatus {
        let began = Instant::now();
        loop {
            for api in &self.apis {
                let Ok(answer) = self.http.get(format!("{api}/api/v1/migration")).send().await else { continue };
                let Ok(status) = answer.json::<MigrationStatus>().await else { continue };
                if wanted(&status) {
                    return status;
                }
            }
            assert!(began.elapsed() < PATIENCE, "{what}: {}", self.standby.log_text());
            sleep(POLL).await;
        }
    }

    /// The process of the role that acts, once another stands by.
    async fn acting(&self) -> CopierStatus {
        let of_role = |process: &&CopierStatus| process.role == self.role && process.seen_ms_ago < 2_000;
        let count = |status: &MigrationStatus, active| {
            status.copiers.iter().filter(of_role).filter(|process| process.active == active).count()
        };
        let two = |status: &MigrationStatus| count(status, true) == 1 && count(status, false) == 1;
        let status = self.wait_for("one acts and one stands by", two).await;
        status.copiers.iter().filter(of_role).find(|process| process.active).expect("was counted").clone()
    }

    /// Until another than `victim` has done the role's work with what is written only now.
    async fn until_another_acts(&self, victim: u32) {
        let note = doc! {"insert": "after", "documents": [{"signal": true}], "writeConcern": {"w": "majority"}};
        let reply = self.source.database("takeover").run_command(note).await.expect("is written");
        let written = reply.get_timestamp("operationTime").expect("a reply has a time");
        let reached = |optime: Option<mongoferry_protocol::Optime>| {
            optime.is_some_and(|optime| (optime.t, optime.i) >= (written.time, written.increment))
        };
        let leads = |status: &MigrationStatus| {
            status.copiers.iter().any(|one| one.role == self.role && one.active && one.pid != victim)
        };
        let acts = |status: &MigrationStatus| match self.role {
            COORDINATOR => leads(status) && status.phase == Phase::Ready && status.source_optime.is_some(),
            "oplog-tailer" => reached(status.captured_optime),
            _ => reached(status.applied_optime),
        };
        self.wait_for("another acts", acts).await;
    }

    async fn take_over(&mut self, signal: Signal) {
        let victim = self.acting().await;
        match signal {
            Signal::Kill => kill(victim.pid),
            Signal::Stop => suspend(victim.pid),
        }
        let began = Instant::now();
        self.until_another_acts(victim.pid).await;
        let took = began.elapsed();
        println!("{} {signal:?}: {:.1} s", self.role, took.as_secs_f64());
        assert!(took < PROMISED + BUSY, "{} {signal:?} took {took:?}", self.role);
        if signal == Signal::Stop {
            wake(victim.pid);
        }
    }
}

/// GIVEN a process of a role of which one acts, and another that stands by WHEN the first is killed, and later stopped without a
/// word THEN another has taken over within 15 seconds, and in the end everything is there.
async fn another_takes_over(role: &'static str) {
    let mut scene = Scene::ready(role).await;
    scene.take_over(Signal::Kill).await;
    scene.take_over(Signal::Stop).await;
    let Scene { clusters, mut migration, standby, .. } = scene;
    standby.kill();
    migration.wait_for("somebody leads", |status| status.phase == Phase::Ready).await;
    migration.until_in_step(&clusters).await;
    migration.post("commit").await;
    migration.end_committed().await;
    clusters.assert_equal().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_coordinator_takes_over() {
    another_takes_over(COORDINATOR).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_tailer_takes_over() {
    another_takes_over("oplog-tailer").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_applier_takes_over() {
    another_takes_over("applier").await;
}
