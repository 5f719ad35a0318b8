//! A migration as a user starts it: `mongoferry migrate` as a child process, and its HTTP API.

use std::{
    path::{Path, PathBuf},
    process::{Output, Stdio},
    time::Duration,
};

use bson::doc;
use mongoferry_protocol::{CopierStatus, MigrationStatus, Phase};
use serde_json::Value;
use tokio::{
    io::AsyncReadExt,
    process::{Child, Command},
    time::{Instant, sleep},
};

use crate::{Clusters, binary, signals};

/// Longer than anything here takes on a busy machine; a scenario that reaches it has hung.
const PATIENCE: Duration = Duration::from_secs(180);
const POLL: Duration = Duration::from_millis(50);

/// How the command will be started.
pub struct MigrationBuilder {
    source: String,
    destination: String,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    state_dir: PathBuf,
}

/// A running `mongoferry migrate`. Dropped, it is killed; its children end with it.
pub struct Migration {
    child: Child,
    stdout: tokio::task::JoinHandle<String>,
    stderr: tokio::task::JoinHandle<String>,
    api: String,
    builder: MigrationBuilder,
    http: reqwest::Client,
}

/// What an ended command left.
pub struct Outcome {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl MigrationBuilder {
    pub fn argument(mut self, argument: &str) -> Self {
        self.arguments.push(argument.to_owned());
        self
    }

    /// A variable that the stages take over, such as an option of the copier.
    pub fn environment(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn destination(mut self, uri: &str) -> Self {
        self.destination = uri.to_owned();
        self
    }

    pub fn source(mut self, uri: &str) -> Self {
        self.source = uri.to_owned();
        self
    }

    /// Starts the command and returns at once.
    pub fn start(self) -> Migration {
        let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
        let listen = port.expect("a port is free").to_string();
        let mut child = Command::new(binary("mongoferry"))
            .arg("migrate")
            .arg("--state-dir")
            .arg(&self.state_dir)
            .args(["--listen", &listen])
            .args(&self.arguments)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .env("MONGOFERRY_SOURCE", &self.source)
            .env("MONGOFERRY_DESTINATION", &self.destination)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("mongoferry starts");
        let stdout = collect(child.stdout.take().expect("is piped"));
        let stderr = collect(child.stderr.take().expect("is piped"));
        let api = format!("http://{listen}/api/v1");
        let http = reqwest::Client::new();
        Migration { child, stdout, stderr, api, builder: self, http }
    }
}

fn collect(mut pipe: impl tokio::io::AsyncRead + Unpin + Send + 'static) -> tokio::task::JoinHandle<String> {
    tokio::spawn(async move {
        let mut text = String::new();
        // A command that is killed leaves whatever it had said.
        let _ = pipe.read_to_string(&mut text).await;
        text
    })
}

impl Migration {
    /// A migration between the two clusters with a state directory of its own below `state`.
    pub fn between(clusters: &Clusters, state: &Path) -> MigrationBuilder {
        MigrationBuilder {
            source: clusters.source.uri(),
            destination: clusters.destination.uri(),
            arguments: Vec::new(),
            environment: Vec::new(),
            state_dir: state.join("state"),
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.id().expect("the command has not ended")
    }

    /// The address of the API without its path.
    pub fn api_address(&self) -> &str {
        self.api.trim_end_matches("/api/v1")
    }

    /// Until the API listens, whatever it says.
    pub async fn wait_for_api(&mut self) {
        let began = Instant::now();
        while self.http.get(self.api_address()).send().await.is_err() {
            assert!(began.elapsed() < PATIENCE, "the API never listened\n{}", self.logs());
            if let Some(ended) = self.child.try_wait().expect("a child can be asked") {
                panic!("mongoferry ended ({ended}) before it listened\n{}", self.logs());
            }
            sleep(POLL).await;
        }
    }

    pub async fn status(&self) -> Option<MigrationStatus> {
        let answer = self.http.get(format!("{}/migration", self.api)).send().await.ok()?;
        answer.json().await.ok()
    }

    /// GET of any call, as JSON.
    pub async fn get(&self, call: &str) -> Value {
        let answer = self.http.get(format!("{}/{call}", self.api)).send().await.expect("the API answers");
        answer.json().await.expect("the answer is JSON")
    }

    pub async fn post(&self, call: &str) -> Value {
        let answer = self.http.post(format!("{}/{call}", self.api)).send().await.expect("the API answers");
        answer.json().await.expect("the answer is JSON")
    }

    pub async fn post_with(&self, call: &str, body: &Value) -> Value {
        let answer = self.http.post(format!("{}/{call}", self.api)).json(body).send().await.expect("the API answers");
        answer.json().await.expect("the answer is JSON")
    }

    /// The first status that `wanted` accepts. Fails if the command ends before.
    pub async fn wait_for(&mut self, what: &str, wanted: impl Fn(&MigrationStatus) -> bool) -> MigrationStatus {
        let began = Instant::now();
        loop {
            let status = self.status().await;
            match status {
                Some(status) if wanted(&status) => return status,
                status if began.elapsed() > PATIENCE => panic!("never came: {what}; {status:#?}\n{}", self.logs()),
                _ => {}
            }
            if let Some(ended) = self.child.try_wait().expect("a child can be asked") {
                panic!("mongoferry ended ({ended}) before: {what}\n{}", self.logs());
            }
            sleep(POLL).await;
        }
    }

    pub async fn wait_for_phase(&mut self, phase: Phase) -> MigrationStatus {
        self.wait_for(phase.as_str(), |status| status.phase == phase).await
    }

    /// Waits until what the source is told now has arrived on the destination.
    pub async fn until_in_step(&mut self, clusters: &Clusters) {
        let admin = clusters.source_client().await.database("admin");
        let note = admin.run_command(doc! {"appendOplogNote": 1, "data": {"in": "step"}}).await.expect("is written");
        let now = note.get_timestamp("operationTime").expect("a reply has a time").time;
        let applied = |status: &MigrationStatus| status.applied_optime.is_some_and(|optime| optime.t > now);
        self.wait_for("what was written since", applied).await;
    }

    /// The process of a role that is alive, by its heartbeats.
    pub async fn process(&mut self, role: &str) -> CopierStatus {
        let is_it = |process: &CopierStatus| process.role == role && process.active && process.seen_ms_ago < 2_000;
        let status = self.wait_for(role, |status| status.copiers.iter().any(is_it)).await;
        status.copiers.into_iter().find(is_it).expect("was found")
    }

    /// Waits for the command's end.
    pub async fn end(mut self) -> Outcome {
        let ended = tokio::time::timeout(PATIENCE, self.child.wait()).await;
        let Ok(ended) = ended else { panic!("mongoferry does not end\n{}", self.logs()) };
        let code = ended.expect("a child can be waited for").code();
        let (stdout, stderr) = (self.stdout.await.expect("no panic"), self.stderr.await.expect("no panic"));
        Outcome { code, stdout, stderr }
    }

    /// The end of a migration that is to be committed, proven equal by the product itself.
    pub async fn end_committed(self) -> Outcome {
        let logs = self.logs_later();
        let outcome = self.end().await;
        assert_eq!(outcome.code, Some(0), "{}\n{}\n{}", outcome.stdout, outcome.stderr, logs());
        outcome
    }

    /// Stops the command as Ctrl-C and a service manager do, and starts it again with the same state directory.
    pub async fn stop_and_start_again(self) -> Migration {
        self.stop_and_start_again_after(|| {}).await
    }

    /// The same with something done in between.
    pub async fn stop_and_start_again_after(self, meanwhile: impl FnOnce()) -> Migration {
        signals::stop(self.pid());
        let builder = self.builder.again();
        let outcome = self.end().await;
        assert_eq!(outcome.code, Some(130), "{}", outcome.stderr);
        meanwhile();
        builder.start()
    }

    /// Waits for the command's end, whatever its reason, and starts it again.
    pub async fn start_again_once_ended(self) -> Migration {
        let builder = self.builder.again();
        self.end().await;
        builder.start()
    }

    /// Kills the command alone, so that its children have to notice by themselves, and starts it again.
    pub async fn kill_and_start_again(self) -> Migration {
        signals::kill(self.pid());
        let builder = self.builder.again();
        self.end().await;
        builder.start()
    }

    /// Kills the command and all its children, as a power failure does, and starts it again.
    pub async fn kill_with_children_and_start_again(self) -> Migration {
        let children = signals::children_of(self.pid());
        signals::kill(self.pid());
        children.into_iter().for_each(signals::kill);
        let builder = self.builder.again();
        self.end().await;
        builder.start()
    }

    /// A child of the command by its program, as soon as there is one that is not `but`.
    pub async fn child(&self, program: &str, but: Option<u32>) -> u32 {
        let began = Instant::now();
        loop {
            match signals::child_if_any(self.pid(), program) {
                Some(pid) if Some(pid) != but => return pid,
                _ => assert!(began.elapsed() < PATIENCE, "no {program} is started\n{}", self.logs()),
            }
            sleep(POLL).await;
        }
    }

    /// A file of the state directory.
    pub fn state_file(&self, name: &str) -> PathBuf {
        self.builder.state_dir.join(name)
    }

    /// Runs another subcommand against this migration's API.
    pub async fn command(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(binary("mongoferry"));
        command.args(arguments).args(["--api", self.api_address()]).stdin(Stdio::null());
        tokio::time::timeout(PATIENCE, command.output()).await.expect("the command ends").expect("mongoferry starts")
    }

    fn logs(&self) -> String {
        self.logs_later()()
    }

    fn logs_later(&self) -> impl Fn() -> String + use<> {
        let directory = self.builder.state_dir.join("logs");
        move || read_logs(&directory)
    }
}

/// The last lines of every stage's log.
fn read_logs(directory: &Path) -> String {
    let mut logs = String::new();
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        let text = std::fs::read_to_string(entry.path()).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        let last = lines.len().saturating_sub(15);
        logs += &format!("--- {}\n{}\n", entry.path().display(), lines[last..].join("\n"));
    }
    logs
}

impl MigrationBuilder {
    fn again(&self) -> Self {
        Self {
            source: self.source.clone(),
            destination: self.destination.clone(),
            arguments: self.arguments.clone(),
            environment: self.environment.clone(),
            state_dir: self.state_dir.clone(),
        }
    }
}
