//! A directory that goes with its owner.

use std::{io, path::Path};

use tempfile::TempDir;

/// Set to anything, it keeps the directories of failed tests.
pub(crate) const KEEP: &str = "MONGOFERRY_KEEP";

/// Removed on drop, but kept (and named on stderr) if the thread is panicking and MONGOFERRY_KEEP is set.
pub(crate) struct ScratchDir(Option<TempDir>);

impl ScratchDir {
    pub(crate) fn new(kind: &str) -> io::Result<Self> {
        tempfile::Builder::new().prefix(&format!("mongoferry-{kind}-")).tempdir().map(|dir| Self(Some(dir)))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.as_ref().expect("the directory is there until the drop").path()
    }
}

impl Drop for ScratchDir {
    fn drop(&mut self) {
        let Some(directory) = self.0.take() else { return };
        if std::thread::panicking() && std::env::var_os(KEEP).is_some() {
            eprintln!("kept {}", directory.keep().display());
        }
    }
}
