//! The applier as a process.

use std::{
    fs::{File, OpenOptions},
    path::Path,
    process::{Child, Command, Stdio},
};

pub struct ApplierProcess(Child);

impl ApplierProcess {
    /// `instance` decides whether the lease is taken over at once.
    pub fn start(nats: &str, source: &str, destination: &str, instance: &str, log: &Path) -> Self {
        let log = log_file(log);
        let child = Command::new(env!("CARGO_BIN_EXE_mongoferry-applier"))
            .args(["--id", "test", "--nats", nats, "--instance", instance])
            .env("MONGOFERRY_SOURCE", source)
            .env("MONGOFERRY_DESTINATION", destination)
            .stdin(Stdio::null())
            .stderr(log)
            .spawn();
        Self(child.expect("the applier starts"))
    }

    /// SIGSTOP, as a machine that is suspended.
    pub fn suspend(&self) {
        self.signal("-STOP");
    }

    /// SIGTERM.
    pub fn stop(&self) {
        self.signal("-TERM");
    }

    /// SIGCONT.
    pub fn wake(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.0.id().to_string()]).status();
        assert!(sent.expect("kill runs").success());
    }

    /// Waits for its end and returns the exit code.
    pub async fn exit_code(mut self) -> Option<i32> {
        loop {
            if let Some(status) = self.0.try_wait().expect("it can be asked") {
                return status.code();
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }

    pub fn kill(mut self) {
        self.0.kill().expect("it can be killed");
        self.0.wait().expect("it ends");
    }
}

impl Drop for ApplierProcess {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn log_file(path: &Path) -> File {
    OpenOptions::new().create(true).append(true).open(path).expect("the log can be written")
}
