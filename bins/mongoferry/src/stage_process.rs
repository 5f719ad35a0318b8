//! One stage as a child process: it ends when its standard input closes, so at the latest with us.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Seek, SeekFrom},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use tokio::process::{Child, ChildStdin, Command};

/// A stage drains for up to 8 s.
const STOP_PATIENCE: Duration = Duration::from_secs(10);
const LAST_WORDS_BYTES: u64 = 1_500;

pub struct StageProcess {
    child: Child,
    input: Option<ChildStdin>,
}

impl StageProcess {
    /// `holds` is kept open by the child as its standard output, of which stages make no use; its log is appended to `log`.
    pub fn spawn(mut command: Command, holds: File, log: &Path) -> io::Result<Self> {
        let log = OpenOptions::new().create(true).append(true).mode(0o600).open(log)?;
        // In a process group of its own, Ctrl-C at our terminal reaches us alone, and we end everything in order.
        command.stdin(Stdio::piped()).stdout(holds).stderr(log).process_group(0).kill_on_drop(true);
        let mut child = command.spawn()?;
        Ok(Self { input: child.stdin.take(), child })
    }

    pub async fn wait(&mut self) -> io::Result<ExitStatus> {
        self.child.wait().await
    }

    /// Closes its standard input, and kills it if that does not end it. Gone on return.
    pub async fn stop(mut self) {
        drop(self.input.take());
        if tokio::time::timeout(STOP_PATIENCE, self.child.wait()).await.is_err() {
            // It can only have ended by itself meanwhile.
            let _ = self.child.kill().await;
        }
    }
}

/// The end of a log.
pub fn last_words(log: &Path) -> String {
    let read = || {
        let mut file = File::open(log)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(LAST_WORDS_BYTES)))?;
        let mut tail = Vec::new();
        file.read_to_end(&mut tail)?;
        Ok(String::from_utf8_lossy(&tail).trim().to_owned())
    };
    read().unwrap_or_else(|error: io::Error| format!("(no log: {error})"))
}
