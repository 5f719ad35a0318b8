//! A server as a child process that never outlives its owner.
//!
//! Three nets: `stop` and `kill`; the drop; and, for an owner that is itself killed, a reaper: a shell that waits for
//! our end of a pipe to close, then kills the server and removes its temporary directory. The reaper is ended before the server's pid is given back to
//! the system, so it can never hit a stranger. Servers run in process groups of their own: Ctrl-C at the owner's
//! terminal reaches the owner alone, which then stops them in its own order.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Seek, SeekFrom},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};

use crate::{scratch_dir::KEEP, testbed_error::TestbedError};

const LAST_WORDS_BYTES: usize = 1500;
/// A server that aborts says why before it prints where it was.
const SEARCHED_BYTES: u64 = 256 * 1024;
/// The severity of a fatal line in a log of mongod, since 4.4 and before.
const FATAL: [&str; 2] = [r#""s":"F""#, " F  "];
const POLL: Duration = Duration::from_millis(10);

pub(crate) struct ServerProcess {
    name: String,
    log: PathBuf,
    child: Child,
    reaper: Child,
    ended: Option<ExitStatus>,
}

impl ServerProcess {
    /// Starts `command`, its output appended to the file `log`; `stdin` is handed over, open, to the server. `scratch` is
    /// a directory that must not outlive an owner that had no time to remove it.
    pub(crate) fn spawn(
        name: impl Into<String>,
        mut command: Command,
        log: &Path,
        stdin: Option<File>,
        scratch: Option<&Path>,
    ) -> Result<Self, TestbedError> {
        let name = name.into();
        let failed = |source| TestbedError::Io { action: format!("start {name}"), source };
        let output = OpenOptions::new().create(true).append(true).open(log).map_err(failed)?;
        command.stdout(output.try_clone().map_err(failed)?).stderr(output);
        command.stdin(stdin.map_or_else(Stdio::null, Stdio::from)).process_group(0);
        let mut child = command.spawn().map_err(failed)?;
        match spawn_reaper(child.id(), scratch) {
            Ok(reaper) => Ok(Self { log: log.to_owned(), child, reaper, ended: None, name }),
            Err(source) => {
                // Best effort: without a reaper there is to be no server either.
                let _ = child.kill().and_then(|()| child.wait());
                Err(failed(source))
            }
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The exit status once the server has ended.
    pub(crate) fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        if self.ended.is_none() && self.has_exited()? {
            self.end_reaper();
            self.ended = Some(self.child.wait()?);
        }
        Ok(self.ended)
    }

    /// SIGKILL, and the process is gone on return. Nothing happens if it already ended.
    pub(crate) fn kill(&mut self) {
        if self.ended.is_some() {
            return;
        }
        self.end_reaper();
        // It can only have ended by itself meanwhile.
        let _ = self.child.kill();
        self.ended = self.child.wait().ok();
    }

    /// SIGTERM, then SIGKILL if it still runs after `patience`.
    pub(crate) async fn stop(&mut self, patience: Duration) {
        self.signal(Signal::TERM);
        let ended = tokio::time::timeout(patience, async {
            while let Ok(None) = self.try_wait() {
                tokio::time::sleep(POLL).await;
            }
        });
        if ended.await.is_err() {
            tracing::warn!(server = self.name, ?patience, "killed, since it did not stop by itself");
        }
        self.kill();
    }

    /// Sends a signal if the server still runs.
    pub(crate) fn signal(&self, signal: Signal) {
        if self.ended.is_none() {
            // It can only have ended by itself meanwhile; its pid is ours until it is waited for.
            let _ = kill_process(Pid::from_child(&self.child), signal);
        }
    }

    /// The error for a server that has ended though it should run; none while it runs.
    pub(crate) fn check_running(&mut self) -> Result<(), TestbedError> {
        match self.try_wait().map_err(TestbedError::io(format!("wait for {}", self.name)))? {
            None => Ok(()),
            Some(status) => Err(TestbedError::ServerExited {
                server: self.name.clone(),
                status: status.to_string(),
                log: self.last_words(),
            }),
        }
    }

    fn last_words(&self) -> String {
        read_tail(&self.log).unwrap_or_else(|error| format!("(its log is not readable: {error})"))
    }

    /// Looks without reaping, so that the pid stays ours until the reaper is gone.
    fn has_exited(&self) -> io::Result<bool> {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        Ok(waitid(WaitId::Pid(Pid::from_child(&self.child)), options)?.is_some())
    }

    fn end_reaper(&mut self) {
        // Killed before its pipe closes, it does nothing.
        let _ = self.reaper.kill().and_then(|()| self.reaper.wait());
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Waits for the server's end before it removes the directory, but not for ever: where nobody reaps orphans, a killed
/// process stays listed.
const REAPER: &str = "\
read -r _
kill -9 \"$1\" 2>/dev/null
[ -n \"$2\" ] || exit
for _ in 1 2 3 4 5 6 7 8 9 10; do kill -0 \"$1\" 2>/dev/null || break; sleep 0.1; done
rm -rf -- \"$2\"
";

/// The pipe's other end is ours alone (close-on-exec), so it closes exactly when this process ends.
fn spawn_reaper(pid: u32, scratch: Option<&Path>) -> io::Result<Child> {
    let kept = std::env::var_os(KEEP).is_some();
    Command::new("sh")
        .args(["-c", REAPER, "mongoferry-reaper", &pid.to_string()])
        .arg(scratch.filter(|_| !kept).unwrap_or(Path::new("")))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
}

fn read_tail(log: &Path) -> io::Result<String> {
    let mut file = File::open(log)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(SEARCHED_BYTES)))?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail)?;
    Ok(last_words_of(&String::from_utf8_lossy(&tail)))
}

/// The fatal lines, each cut, or the end if there are none.
fn last_words_of(log: &str) -> String {
    let cut = |line: &str| line.chars().take(LAST_WORDS_BYTES).collect::<String>();
    let fatal: Vec<String> = log.lines().filter(|line| FATAL.iter().any(|mark| line.contains(mark))).map(cut).collect();
    match fatal.is_empty() {
        false => fatal.join("\n"),
        true => log.trim().chars().rev().take(LAST_WORDS_BYTES).collect::<Vec<_>>().into_iter().rev().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::{LAST_WORDS_BYTES, last_words_of};

    #[test]
    fn what_ended_a_server_is_told_before_where_it_was() {
        let backtrace = "at ?\n".repeat(1000);
        let fatal = r#"{"t":{},"s":"F","c":"-","msg":"Fatal assertion"}"#;
        assert_eq!(last_words_of(&format!("started\n{fatal}\n{backtrace}")), fatal);
        assert_eq!(last_words_of("started\nended\n"), "started\nended");
        assert_eq!(last_words_of(&backtrace).len(), LAST_WORDS_BYTES);
    }
}
