use std::{
    process::{Child, Command, Stdio},
    time::Duration,
};

use mongodb::bson::doc;
use mongoferry_protocol::Phase;
use mongoferry_testbed::NatsServer;
use mongoferry_tests::{Clusters, Migration, binary, child_if_any, stop};
use tokio::time::{Instant, sleep};

/// What is promised for every binary.
const PROMISED: Duration = Duration::from_secs(10);
const ROLES: [&str; 7] =
    ["cutover-coordinator", "oplog-tailer", "copier", "indexer", "applier", "verifier", "validator"];

struct Stages {
    clusters: Clusters,
    nats: NatsServer,
}

impl Stages {
    /// A stage on its own, as process 1 of a container if `first`.
    fn start(&self, role: &str, first: bool, directory: &std::path::Path) -> Child {
        let log = std::fs::File::create(directory.join(role)).expect("the log can be written");
        let program = binary(&format!("mongoferry-{role}"));
        let mut command = if first { Command::new("unshare") } else { Command::new(&program) };
        if first {
            command.args(["--pid", "--fork", "--kill-child"]).arg(&program);
        }
        if role == "cutover-coordinator" {
            command.args(["--listen", "127.0.0.1:0"]);
        }
        if role == "validator" {
            command.arg("--serve");
        }
        command
            .env("MONGOFERRY_SOURCE", self.clusters.source.uri())
            .env("MONGOFERRY_DESTINATION", self.clusters.destination.uri())
            .env("MONGOFERRY_NATS", self.nats.url())
            .stdin(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("it starts")
    }
}

async fn until_started(directory: &std::path::Path, role: &str) {
    while !std::fs::read_to_string(directory.join(role)).unwrap_or_default().contains("started") {
        sleep(Duration::from_millis(20)).await;
    }
}

/// The exit code, and how long it took.
async fn stopped(child: &mut Child, pid: u32) -> (Option<i32>, Duration) {
    let asked = Instant::now();
    stop(pid);
    loop {
        if let Some(status) = child.try_wait().expect("a child can be asked") {
            return (status.code(), asked.elapsed());
        }
        sleep(Duration::from_millis(20)).await;
    }
}

/// GIVEN each stage at work, alone and as process 1, where a signal without a handler does nothing at all WHEN it gets SIGTERM
/// THEN it ends well within the time promised.
#[tokio::test(flavor = "multi_thread")]
async fn every_binary_ends_on_sigterm_also_as_process_1() {
    let nats = NatsServer::builder().start().await.expect("nats-server starts");
    let stages = Stages { clusters: Clusters::seeded(5).await, nats };
    for first in [false, true] {
        let directory = tempfile::tempdir().expect("a directory");
        let mut running: Vec<(&str, Child)> =
            ROLES.iter().map(|role| (*role, stages.start(role, first, directory.path()))).collect();
        for (role, child) in &mut running {
            until_started(directory.path(), role).await;
            let pid = match first {
                false => child.id(),
                true => child_if_any(child.id(), &format!("mongoferry-{role}")).expect("is the child of unshare"),
            };
            let (code, took) = stopped(child, pid).await;
            assert!(took < PROMISED, "{role}: {took:?}");
            let log = std::fs::read_to_string(directory.path().join(*role)).unwrap_or_default();
            assert_eq!(code, Some(0), "{role}: {log}");
        }
    }
}

/// GIVEN a copy under way WHEN the command gets SIGTERM THEN it and all its children end within the time promised.
#[tokio::test(flavor = "multi_thread")]
async fn the_command_ends_on_sigterm_in_the_middle_of_the_copy() {
    let clusters = Clusters::seeded(40).await;
    let state = tempfile::tempdir().expect("a directory");
    let mut migration = Migration::between(&clusters, state.path()).start();
    migration.wait_for("the copy is under way", |status| status.phase == Phase::Copying && status.bytes > 0).await;
    let asked = Instant::now();
    stop(migration.pid());
    let outcome = migration.end().await;
    assert_eq!(outcome.code, Some(130), "{}", outcome.stderr);
    assert!(asked.elapsed() < PROMISED, "{:?}", asked.elapsed());
}

/// GIVEN the command as process 1 of a container, in the middle of the copy WHEN it gets SIGTERM THEN it ends in time with all its
/// children, and the next start goes on.
#[tokio::test(flavor = "multi_thread")]
async fn the_command_ends_on_sigterm_as_process_1() {
    let clusters = Clusters::seeded(40).await;
    let state = tempfile::tempdir().expect("a directory");
    let mut container = Command::new("unshare")
        .args(["--pid", "--fork", "--kill-child"])
        .arg(binary("mongoferry"))
        .args(["migrate", "--listen=127.0.0.1:0", "--log=json", "--state-dir"])
        .arg(state.path().join("state"))
        .env("MONGOFERRY_SOURCE", clusters.source.uri())
        .env("MONGOFERRY_DESTINATION", clusters.destination.uri())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let copying = async || {
        let count = doc! {"count": "orders"};
        let reply = clusters.destination_client().await.database("shop").run_command(count).await.expect("answers");
        reply.get_i32("n").expect("a count") > 0
    };
    while !copying().await {
        assert!(container.try_wait().expect("a child can be asked").is_none(), "it has ended before");
        sleep(Duration::from_millis(20)).await;
    }
    let command = child_if_any(container.id(), "mongoferry").expect("is the child of unshare");
    let (code, took) = stopped(&mut container, command).await;
    assert_eq!(code, Some(130));
    assert!(took < PROMISED, "{took:?}");
    let outcome = Migration::between(&clusters, state.path()).argument("--cutover=auto").start().end_committed().await;
    assert!(outcome.stdout.contains("**Equal**"), "{}", outcome.stdout);
    clusters.assert_equal().await;
}
