//! The lock that says that stages of this state directory run.
//!
//! Every stage holds it, so it outlasts a launcher that was killed until the last of its stages has drained. Two
//! generations of them never run at the same time: the older could write what the newer has moved on from.

#[cfg(target_os = "linux")]
use std::os::unix::fs::MetadataExt;
use std::{path::Path, time::Duration};

use rustix::process::{Pid, Signal, kill_process};

use crate::{lasting_lock::LastingLock, launcher_error::LauncherError, progress::Screen, state_dir::StateDir};

const LOCK_FILE: &str = "stages.lock";
/// Longer than this is worth a word.
const AT_ONCE: Duration = Duration::from_millis(500);
/// Stages drain for up to 8 s after their launcher is gone.
const DRAINED_WITHIN: Duration = Duration::from_secs(15);
const GONE_WITHIN: Duration = Duration::from_secs(10);

/// The lock, once the stages of an earlier launcher are gone; those that do not end are ended.
pub async fn take_stages_lock(state_dir: &StateDir, screen: &Screen) -> Result<LastingLock, LauncherError> {
    let path = state_dir.at(LOCK_FILE);
    let failed = || LauncherError::io(format!("lock {}", path.display()));
    if let Some(lock) = LastingLock::take_within(&path, AT_ONCE).await.map_err(failed())? {
        return Ok(lock);
    }
    screen.say("waiting for the stages of an earlier start to end");
    if let Some(lock) = LastingLock::take_within(&path, DRAINED_WITHIN).await.map_err(failed())? {
        return Ok(lock);
    }
    // One that is stopped or hangs: it was told to end by its launcher's end.
    for pid in holders(&path) {
        tracing::warn!(pid = pid.as_raw_nonzero().get(), "a stage outlived its launcher and is ended");
        // It can only have ended by itself meanwhile.
        let _ = kill_process(pid, Signal::KILL);
    }
    let lock = LastingLock::take_within(&path, GONE_WITHIN).await.map_err(failed())?;
    lock.ok_or_else(|| LauncherError::OutlivedLauncher { what: "a stage", dir: state_dir.path().to_owned() })
}

/// Processes that have the lock as their standard output, as only our stages do.
#[cfg(target_os = "linux")]
fn holders(lock: &Path) -> Vec<Pid> {
    let (Ok(lock), Ok(processes)) = (std::fs::metadata(lock), std::fs::read_dir("/proc")) else { return Vec::new() };
    let pid_of = |entry: std::fs::DirEntry| {
        let pid: i32 = entry.file_name().to_str()?.parse().ok()?;
        let output = std::fs::metadata(entry.path().join("fd/1")).ok()?;
        ((output.dev(), output.ino()) == (lock.dev(), lock.ino())).then(|| Pid::from_raw(pid)).flatten()
    };
    processes.filter_map(Result::ok).filter_map(pid_of).collect()
}

#[cfg(not(target_os = "linux"))]
fn holders(lock: &Path) -> Vec<Pid> {
    let listed = std::process::Command::new("lsof").args(["-t", "-a", "-d", "1", "--"]).arg(lock).output();
    let Ok(output) = listed else { return Vec::new() };
    let pids = String::from_utf8_lossy(&output.stdout).into_owned();
    pids.split_whitespace().filter_map(|pid| Pid::from_raw(pid.parse().ok()?)).collect()
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::holders;
    use crate::lasting_lock::LastingLock;

    #[test]
    fn who_has_the_lock_as_standard_output_holds_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let lock = LastingLock::try_take(&path).unwrap().unwrap();
        let mut command = Command::new("cat");
        command.stdin(Stdio::piped()).stdout(Stdio::from(lock.share().unwrap()));
        let mut child = command.spawn().unwrap();
        let holding = holders(&path);
        drop(child.stdin.take());
        child.wait().unwrap();
        assert_eq!(holding.iter().map(|pid| pid.as_raw_nonzero().get()).collect::<Vec<_>>(), [child.id() as i32]);
    }
}
