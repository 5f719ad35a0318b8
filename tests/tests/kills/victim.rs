//! What is killed.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Victim {
    Coordinator,
    Tailer,
    Copier,
    Indexer,
    Applier,
    Verifier,
    Bus,
    /// The command alone: its children have to notice by themselves.
    Command,
}

impl Victim {
    pub const ROLES: [Self; 6] =
        [Self::Coordinator, Self::Tailer, Self::Copier, Self::Indexer, Self::Applier, Self::Verifier];
    /// The command comes last: it starts everything anew, and with that the pauses after a death are short again.
    pub const ALL: [Self; 8] = [
        Self::Coordinator,
        Self::Tailer,
        Self::Copier,
        Self::Indexer,
        Self::Applier,
        Self::Verifier,
        Self::Bus,
        Self::Command,
    ];

    /// A role's name as in heartbeats.
    pub fn name(self) -> &'static str {
        match self {
            Self::Coordinator => "cutover-coordinator",
            Self::Tailer => "oplog-tailer",
            Self::Copier => "copier",
            Self::Indexer => "indexer",
            Self::Applier => "applier",
            Self::Verifier => "verifier",
            Self::Bus => "nats-server",
            Self::Command => "mongoferry",
        }
    }

    pub fn program(self) -> String {
        match self {
            Self::Bus | Self::Command => self.name().into(),
            role => format!("mongoferry-{}", role.name()),
        }
    }
}
