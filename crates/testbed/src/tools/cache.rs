//! The directory that keeps downloaded tools, shared by every process of this user.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
};

use rustix::fs::{FlockOperation, flock};
use sha2::{Digest, Sha256};

use crate::testbed_error::TestbedError;

/// `$MONGOFERRY_TOOLS`, else `~/.cache/mongoferry/tools`; created if need be.
fn directory() -> Result<PathBuf, TestbedError> {
    let named = std::env::var_os("MONGOFERRY_TOOLS").filter(|path| !path.is_empty()).map(PathBuf::from);
    let home = std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache/mongoferry/tools"));
    let directory = named.or(home).ok_or_else(|| TestbedError::Install {
        what: "a tool".into(),
        reason: "neither MONGOFERRY_TOOLS nor HOME is set".into(),
    })?;
    fs::create_dir_all(&directory).map_err(TestbedError::io(format!("create {}", directory.display())))?;
    Ok(directory)
}

/// The cache's entry `name`, made by `make` (which fills the empty directory it is given) if it is not there yet.
/// Two processes never make the same entry at once, and an entry is either whole or absent.
pub(super) fn entry(name: &str, make: impl FnOnce(&Path) -> Result<(), TestbedError>) -> Result<PathBuf, TestbedError> {
    let directory = directory()?;
    let entry = directory.join(name);
    if entry.is_dir() {
        return Ok(entry);
    }
    let lock_path = directory.join(format!(".{name}.lock"));
    let lock = File::create(&lock_path).map_err(TestbedError::io(format!("open {}", lock_path.display())))?;
    flock(&lock, FlockOperation::LockExclusive)
        .map_err(|error| TestbedError::io(format!("lock {}", lock_path.display()))(error.into()))?;
    if entry.is_dir() {
        return Ok(entry);
    }
    let unfinished = tempfile::Builder::new()
        .prefix(".unfinished-")
        .tempdir_in(&directory)
        .map_err(TestbedError::io(format!("create a directory in {}", directory.display())))?;
    let made = unfinished.path().join("made");
    fs::create_dir(&made).map_err(TestbedError::io(format!("create {}", made.display())))?;
    make(&made)?;
    fs::rename(&made, &entry).map_err(TestbedError::io(format!("rename {} into place", made.display())))?;
    Ok(entry)
}

/// Runs one step of an installation to its end; its standard output is returned.
pub(super) fn run(what: &str, command: &mut Command) -> Result<String, TestbedError> {
    let program = command.get_program().to_string_lossy().into_owned();
    let failed =
        |reason: String| TestbedError::Install { what: what.to_owned(), reason: format!("{program}: {reason}") };
    let output = command.output().map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        return Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

pub(super) fn sha256_of(path: &Path) -> Result<String, TestbedError> {
    let bytes = fs::read(path).map_err(TestbedError::io(format!("read {}", path.display())))?;
    Ok(Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect())
}
