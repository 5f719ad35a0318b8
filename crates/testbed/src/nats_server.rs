//! A private nats-server with JetStream on 127.0.0.1.
//!
//! Promises: its store is the caller's directory and survives restarts; each acknowledged write is on disk
//! (`sync_interval: always`); its configuration, which holds the password, is readable by this user only; the password
//! is in no argument and no URL.

mod builder;
mod readiness;

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    process::ExitStatus,
    time::Duration,
};

pub use builder::NatsServerBuilder;

use crate::{scratch_dir::ScratchDir, server_process::ServerProcess, testbed_error::TestbedError, tools::Located};

const STOP_PATIENCE: Duration = Duration::from_secs(10);
const LOG_FILE: &str = "nats-server.log";

/// A user and password that the server was configured with.
#[derive(Clone, PartialEq, Eq)]
pub struct NatsCredentials {
    pub user: String,
    pub password: String,
}

pub struct NatsServer {
    // Dropped in this order: the server before its directory.
    process: ServerProcess,
    program: Located,
    config_file: PathBuf,
    state_dir: PathBuf,
    server_name: String,
    port: u16,
    http_port: Option<u16>,
    credentials: Option<NatsCredentials>,
    stdin: Option<File>,
    scratch: Option<ScratchDir>,
}

impl NatsServer {
    pub fn builder() -> NatsServerBuilder {
        NatsServerBuilder::default()
    }

    /// `nats://127.0.0.1:port`; credentials are never part of it.
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// `http://127.0.0.1:port` of nats-server's own monitoring, if asked for.
    pub fn monitoring_url(&self) -> Option<String> {
        self.http_port.map(|port| format!("http://127.0.0.1:{port}"))
    }

    pub fn credentials(&self) -> Option<&NatsCredentials> {
        self.credentials.as_ref()
    }

    /// Where the store, the configuration and the log are.
    pub fn state_dir(&self) -> &Path {
        &self.state_dir
    }

    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// The exit status, if the server has ended.
    pub fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        self.process.try_wait()
    }

    /// SIGKILL; the server is gone on return, its store stays.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Ends the server if it runs and starts it again on the same port and store; ready on return.
    pub async fn restart(&mut self) -> Result<(), TestbedError> {
        self.process.stop(STOP_PATIENCE).await;
        let scratch = self.scratch.as_ref().map(ScratchDir::path);
        self.process = spawn(&self.program, &self.config_file, &self.state_dir, self.stdin.as_ref(), scratch)?;
        self.wait_ready().await
    }

    /// Until the server greets on its port; an error if it ends instead.
    pub async fn wait_ready(&mut self) -> Result<(), TestbedError> {
        readiness::until_greeting(&mut self.process, self.port, &self.server_name).await
    }

    /// Until it says of itself that its streams are in order; for a server with `monitoring`.
    pub async fn wait_healthy(&mut self) -> Result<(), TestbedError> {
        let http_port = self.http_port.unwrap_or_default();
        readiness::until_healthy(&mut self.process, http_port).await
    }

    /// SIGTERM, then SIGKILL if it does not end; gone on return.
    pub async fn stop(mut self) {
        self.process.stop(STOP_PATIENCE).await;
    }
}

/// The handed-over file is duplicated: a lock on it lasts until both this value and the server are gone.
fn spawn(
    program: &Located,
    config_file: &Path,
    state_dir: &Path,
    stdin: Option<&File>,
    scratch: Option<&Path>,
) -> Result<ServerProcess, TestbedError> {
    let mut command = program.command();
    command.arg("-c").arg(config_file);
    let stdin = stdin.map(File::try_clone).transpose().map_err(TestbedError::io("hand a file to nats-server"))?;
    ServerProcess::spawn("nats-server", command, &state_dir.join(LOG_FILE), stdin, scratch)
}
