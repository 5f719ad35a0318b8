//! One of the product's binaries at work.

use std::{
    fs::OpenOptions,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use crate::{binary, signals};

const LOOK_AGAIN: Duration = Duration::from_millis(10);

pub struct StageProcess {
    child: Child,
    log: PathBuf,
}

impl StageProcess {
    /// `arguments` beside its `uris`, environment variables and their values. Its log is a file in `directory`.
    pub fn start(name: &str, arguments: &[&str], uris: &[(&str, &str)], directory: &Path) -> Self {
        let number = std::fs::read_dir(directory).expect("a directory").count();
        let log = directory.join(format!("{name}.{number}.log"));
        let file = OpenOptions::new().create(true).append(true).open(&log).expect("the log can be written");
        let child = Command::new(binary(name))
            .args(arguments)
            .envs(uris.iter().copied())
            .stdin(Stdio::null())
            .stderr(file)
            .spawn();
        Self { child: child.expect("it starts"), log }
    }

    /// SIGKILL.
    pub fn kill(mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it ends");
    }

    /// SIGSTOP.
    pub fn suspend(&self) {
        signals::suspend(self.child.id());
    }

    /// SIGCONT.
    pub fn wake(&self) {
        signals::wake(self.child.id());
    }

    pub async fn exit_code(&mut self) -> Option<i32> {
        loop {
            if let Some(status) = self.child.try_wait().expect("it can be asked") {
                return status.code();
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("it can be asked").is_some()
    }

    /// Panics with the log if it has ended.
    pub fn assert_alive(&mut self) {
        if let Some(status) = self.child.try_wait().expect("it can be asked") {
            panic!("{} ended ({status}):\n{}", self.log.display(), self.log_text());
        }
    }

    pub fn log_text(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for StageProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
