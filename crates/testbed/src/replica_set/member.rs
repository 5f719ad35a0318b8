//! One mongod: its command line, its port, its data.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use rustix::process::Signal;

use crate::{server_process::ServerProcess, testbed_error::TestbedError, tools::Located};

pub(super) struct Member {
    process: Option<ServerProcess>,
    program: Located,
    port: u16,
    /// The set's temporary directory, which also holds keys and certificates.
    scratch: PathBuf,
    directory: PathBuf,
    /// The arguments that do not depend on the port or the data directory.
    arguments: Vec<String>,
}

impl Member {
    /// Prepares the data directory; the server is started by `start`.
    pub(super) fn new(
        program: Located,
        port: u16,
        scratch: &Path,
        name: &str,
        arguments: Vec<String>,
    ) -> Result<Self, TestbedError> {
        let directory = scratch.join(name);
        let data = directory.join("data");
        fs::create_dir_all(&data).map_err(TestbedError::io(format!("create {}", data.display())))?;
        Ok(Self { process: None, program, port, scratch: scratch.to_owned(), directory, arguments })
    }

    pub(super) fn start(&mut self) -> Result<(), TestbedError> {
        let name = format!("mongod {} on port {}", self.program.version, self.port);
        self.process = None;
        let process = ServerProcess::spawn(name, self.command(), &self.log_file(), None, Some(&self.scratch))?;
        self.process = Some(process);
        Ok(())
    }

    fn command(&self) -> Command {
        let mut command = self.program.command();
        command.arg("--dbpath").arg(self.data_dir()).args(["--port", &self.port.to_string()]);
        command.args(["--bind_ip", "127.0.0.1", "--nounixsocket"]).args(&self.arguments);
        command
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Only before the set is initiated: the port is the member's name in it.
    pub(super) fn change_port(&mut self, port: u16) {
        self.port = port;
    }

    pub(super) fn data_dir(&self) -> PathBuf {
        self.directory.join("data")
    }

    pub(super) fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(ServerProcess::pid)
    }

    pub(super) fn name(&self) -> String {
        format!("mongod on port {}", self.port)
    }

    /// Whether the member itself said that it listens: an answer on its port may be another server's.
    pub(super) fn listens(&self) -> bool {
        // "Waiting" since 4.4, "waiting" before.
        fs::read_to_string(self.log_file()).is_ok_and(|log| log.contains("aiting for connections"))
    }

    fn log_file(&self) -> PathBuf {
        self.directory.join("log")
    }

    pub(super) fn kill(&mut self) {
        self.process = None;
    }

    pub(super) async fn stop(&mut self, patience: Duration) {
        if let Some(mut process) = self.process.take() {
            process.signal(Signal::CONT);
            process.stop(patience).await;
        }
    }

    pub(super) fn pause(&self) {
        self.signal(Signal::STOP);
    }

    pub(super) fn resume(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        if let Some(process) = &self.process {
            process.signal(signal);
        }
    }

    /// False for a member that was killed or stopped on purpose; an error for one that ended by itself.
    pub(super) fn check_running(&mut self) -> Result<bool, TestbedError> {
        match &mut self.process {
            Some(process) => process.check_running().map(|()| true),
            None => Ok(false),
        }
    }
}
