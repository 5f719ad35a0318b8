//! The lock that says that stages of this state directory run.
//!
//! Every stage holds it, so it outlasts a launcher that was killed until the last of its stages has drained. Two
//! generations of them never run at the same time: the older could write what the newer has moved on from.

use std::time::Duration;

use crate::{lasting_lock::LastingLock, launcher_error::LauncherError, progress::Screen, state_dir::StateDir};

const LOCK_FILE: &str = "stages.lock";
/// Longer than this is worth a word.
const AT_ONCE: Duration = Duration::from_millis(500);
/// Stages drain for up to 8 s after their launcher is gone.
const DRAINED_WITHIN: Duration = Duration::from_secs(15);

/// The lock, once the stages of an earlier launcher are gone.
pub async fn take_stages_lock(state_dir: &StateDir, screen: &Screen) -> Result<LastingLock, LauncherError> {
    let path = state_dir.at(LOCK_FILE);
    let failed = || LauncherError::io(format!("lock {}", path.display()));
    if let Some(lock) = LastingLock::take_within(&path, AT_ONCE).await.map_err(failed())? {
        return Ok(lock);
    }
    screen.say("waiting for the stages of an earlier start to end");
    let lock = LastingLock::take_within(&path, DRAINED_WITHIN).await.map_err(failed())?;
    lock.ok_or_else(|| LauncherError::OutlivedLauncher { what: "a stage", dir: state_dir.path().to_owned() })
}
