//! The directory in which a migration on this machine keeps what it must find again: the private bus with all progress,
//! the logs, the report, and `state.json`, which says whose directory it is.
//!
//! Readable by its owner alone, because the bus holds the source's oplog, and locked while a launcher works in it.

mod default_place;
mod state_file;

use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::{Path, PathBuf},
};

pub use default_place::{DEFAULT_PLACE, default_place};
use mongoferry_protocol::{ClusterIdentity, MigrationId};
pub use state_file::{Ended, StateFile, write_whole};

use crate::{lasting_lock::LastingLock, launcher_error::LauncherError};

const STATE_FILE: &str = "state.json";
const LOCK_FILE: &str = "lock";

pub struct StateDir {
    path: PathBuf,
    state: StateFile,
    _lock: LastingLock,
}

impl StateDir {
    /// Opens the directory for migration `id`, or makes it. Locked on return, for as long as the value lives.
    pub fn open(path: &Path, id: &MigrationId) -> Result<Self, LauncherError> {
        let failed = || LauncherError::io(format!("open the state directory {}", path.display()));
        fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed())?;
        let path = path.canonicalize().map_err(failed())?;
        if !may_be_ours(&path).map_err(failed())? {
            return Err(LauncherError::ForeignDirectory { dir: path });
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).map_err(failed())?;
        let lock = lock(&path)?;
        let state = match StateFile::read(&path.join(STATE_FILE))? {
            Some(state) => state.expected_of(id, &path)?,
            None => StateFile::new(id.clone()),
        };
        let dir = Self { path, state, _lock: lock };
        dir.save()?;
        Ok(dir)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn state(&self) -> &StateFile {
        &self.state
    }

    /// The path of a file or directory in it.
    pub fn at(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The directory `name` in it, made if it is not there.
    pub fn directory(&self, name: &str) -> Result<PathBuf, LauncherError> {
        let path = self.at(name);
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&path);
        made.map_err(LauncherError::io(format!("make the directory {}", path.display())))?;
        Ok(path)
    }

    /// Remembers for which clusters it is.
    pub fn claim_for(
        &mut self,
        source: Option<&ClusterIdentity>,
        destination: Option<&ClusterIdentity>,
    ) -> Result<(), LauncherError> {
        self.state.source = source.cloned();
        self.state.destination = destination.cloned();
        self.save()
    }

    pub fn record_end(&mut self, ended: Ended) -> Result<(), LauncherError> {
        self.state.ended = Some(ended);
        self.save()
    }

    /// Writes a file into the directory: all of it or nothing.
    pub fn write(&self, name: &str, text: &str) -> Result<(), LauncherError> {
        let path = self.at(name);
        state_file::write_whole(&path, text.as_bytes()).map_err(LauncherError::io(format!("write {}", path.display())))
    }

    fn save(&self) -> Result<(), LauncherError> {
        self.write(STATE_FILE, &self.state.to_json())
    }
}

/// Empty, with a state file, or broken off by a crash before there was one.
fn may_be_ours(path: &Path) -> io::Result<bool> {
    if path.join(STATE_FILE).exists() {
        return Ok(true);
    }
    for entry in fs::read_dir(path)? {
        let name = entry?.file_name();
        if name != LOCK_FILE && !name.to_string_lossy().starts_with(state_file::UNFINISHED) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn lock(dir: &Path) -> Result<LastingLock, LauncherError> {
    let path = dir.join(LOCK_FILE);
    let failed = || LauncherError::io(format!("lock {}", path.display()));
    let Some(lock) = LastingLock::try_take(&path).map_err(failed())? else {
        let pid = fs::read_to_string(&path).ok().and_then(|text| text.trim().parse().ok());
        return Err(LauncherError::StateInUse { dir: dir.to_owned(), pid });
    };
    // The pid is for people; the lock is what counts.
    fs::write(&path, format!("{}\n", std::process::id())).map_err(failed())?;
    Ok(lock)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::{Ended, StateDir};
    use crate::launcher_error::LauncherError;

    #[test]
    fn is_private_locked_and_remembers_whose_it_is() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("a/b");
        let (ours, other) = ("one".parse().unwrap(), "two".parse().unwrap());
        let mut dir = StateDir::open(&path, &ours).unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(path.join("state.json").metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let again = StateDir::open(&path, &ours).err().unwrap();
        assert!(matches!(again, LauncherError::StateInUse { pid: Some(pid), .. } if pid == std::process::id()));
        dir.record_end(Ended::Committed).unwrap();
        drop(dir);
        assert_eq!(StateDir::open(&path, &ours).unwrap().state().ended, Some(Ended::Committed));
        assert!(matches!(StateDir::open(&path, &other).err(), Some(LauncherError::OtherMigration { .. })));
    }

    #[test]
    fn leaves_a_directory_of_something_else_alone() {
        let scratch = tempfile::tempdir().unwrap();
        std::fs::write(scratch.path().join("thesis.tex"), "").unwrap();
        let refused = StateDir::open(scratch.path(), &"one".parse().unwrap()).err();
        assert!(matches!(refused, Some(LauncherError::ForeignDirectory { .. })));
        assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 1);
    }
}
