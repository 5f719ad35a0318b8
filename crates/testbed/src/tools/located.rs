//! A server program that was found and started once to see that it works.

use std::{path::PathBuf, process::Command};

use super::ServerVersion;

#[derive(Clone, Debug)]
pub struct Located {
    pub path: PathBuf,
    pub version: ServerVersion,
    /// Where the libraries are that this machine does not have by itself.
    pub library_path: Option<PathBuf>,
    /// Binaries that came first in the search and were not usable, with the reason.
    pub passed_over: Vec<String>,
}

impl Located {
    /// A command that starts the program with the libraries it needs.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.path);
        if let Some(path) = &self.library_path {
            command.env("LD_LIBRARY_PATH", path);
        }
        command
    }
}
