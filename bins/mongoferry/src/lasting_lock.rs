//! A lock that lives as long as the last process it was handed to.
//!
//! A flock belongs to the open file, not to the process: given to children as one of their standard streams, it is held
//! until this process and all of them are gone, in whatever way they end.

use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt,
    path::Path,
    time::Duration,
};

use rustix::fs::{FlockOperation, flock};
use tokio::time::{Instant, sleep};

const POLL: Duration = Duration::from_millis(50);

pub struct LastingLock(File);

impl LastingLock {
    /// `None` while another process holds it.
    pub fn try_take(path: &Path) -> io::Result<Option<Self>> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(Self(file))),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// `None` if it is still held after `patience`.
    pub async fn take_within(path: &Path, patience: Duration) -> io::Result<Option<Self>> {
        let deadline = Instant::now() + patience;
        loop {
            match Self::try_take(path)? {
                None if Instant::now() < deadline => sleep(POLL).await,
                taken => return Ok(taken),
            }
        }
    }

    /// Another handle of the same lock, for a child.
    pub fn share(&self) -> io::Result<File> {
        self.0.try_clone()
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::LastingLock;

    #[test]
    fn is_held_until_the_last_process_that_has_it_ends() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let lock = LastingLock::try_take(&path).unwrap().unwrap();
        assert!(LastingLock::try_take(&path).unwrap().is_none());
        let mut command = Command::new("cat");
        command.stdin(Stdio::piped()).stdout(Stdio::from(lock.share().unwrap()));
        let mut child = command.spawn().unwrap();
        drop((lock, command));
        assert!(LastingLock::try_take(&path).unwrap().is_none());
        drop(child.stdin.take());
        child.wait().unwrap();
        assert!(LastingLock::try_take(&path).unwrap().is_some());
    }
}
