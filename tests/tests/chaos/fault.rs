//! What can befall a migration.

use std::fmt;

use mongoferry_protocol::Phase;

/// The roles that run for the whole migration, as they are named in heartbeats.
const ROLES: [&str; 6] = ["cutover-coordinator", "oplog-tailer", "copier", "indexer", "applier", "verifier"];
/// Those that hold a lease or a range, which others may take over meanwhile.
const LEASED: [&str; 4] = ["cutover-coordinator", "oplog-tailer", "copier", "applier"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Source,
    Destination,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leg {
    /// Between everybody and every member of the set, the members among themselves included.
    Set(Side),
    /// Between everybody and the set's primary.
    Primary(Side),
    Bus,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    Cut,
    BlackHole,
    Reset,
    Delay,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// SIGKILL to a process of the role.
    Kill(&'static str),
    KillBus,
    /// SIGKILL to the command alone.
    KillLauncher,
    /// SIGKILL to the command and all its children.
    KillEverything,
    /// SIGSTOP to the active process of the role, and SIGCONT within its lease.
    Suspend(&'static str),
    /// The same beyond its lease.
    SuspendBeyondLease(&'static str),
    /// SIGTERM to the active process of the role, which ends in time and is started again.
    Stop(&'static str),
    /// Another copier joins, and leaves again.
    Copier,
    StepDown(Side),
    /// Every member is stopped and started again, the primary last.
    RestartAll(Side),
    /// A secondary leaves the set and joins it again.
    Reconfigure(Side),
    /// The migration's user may do nothing for a while.
    RevokeRights(Side),
    /// The migration's user has another password for a while, in which a process has to log in.
    ChangePassword(Side),
    /// The destination says that its disk is full.
    NoRoom,
    /// SIGKILL to the primary, which comes back after the election.
    KillPrimary(Side),
    Network(Leg, Trouble),
}

impl Fault {
    /// `own_bus`: the command uses a bus that is behind a proxy.
    pub fn all(own_bus: bool) -> Vec<Self> {
        let mut all = vec![Self::KillBus, Self::KillLauncher, Self::KillEverything, Self::NoRoom];
        all.extend(own_bus.then_some(Self::Copier));
        all.extend(ROLES.map(Self::Kill));
        all.extend(ROLES.map(Self::Stop));
        all.extend(LEASED.map(Self::Suspend));
        all.extend(LEASED.map(Self::SuspendBeyondLease));
        let mut legs = Vec::new();
        for side in [Side::Source, Side::Destination] {
            all.extend([
                Self::StepDown(side),
                Self::KillPrimary(side),
                Self::RestartAll(side),
                Self::Reconfigure(side),
            ]);
            all.extend([Self::RevokeRights(side), Self::ChangePassword(side)]);
            legs.extend([Leg::Set(side), Leg::Primary(side)]);
        }
        legs.extend(own_bus.then_some(Leg::Bus));
        for leg in legs {
            let troubles = [Trouble::Cut, Trouble::BlackHole, Trouble::Reset, Trouble::Delay];
            all.extend(troubles.map(|trouble| Self::Network(leg, trouble)));
        }
        all
    }

    /// A destination that holds the indexer back for the test must not be told anything else, and not forget it.
    pub fn fits(self, phase: Phase) -> bool {
        let destination_is_free = !matches!(phase, Phase::Draining | Phase::Verifying | Phase::Finalizing);
        destination_is_free || !matches!(self, Self::NoRoom | Self::RestartAll(Side::Destination))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kill(role) => write!(f, "kill -9 of {role}"),
            Self::KillBus => f.write_str("kill -9 of nats-server"),
            Self::KillLauncher => f.write_str("kill -9 of the command"),
            Self::KillEverything => f.write_str("kill -9 of the command and all children"),
            Self::Suspend(role) => write!(f, "{role} stopped within its lease"),
            Self::SuspendBeyondLease(role) => write!(f, "{role} stopped beyond its lease"),
            Self::Stop(role) => write!(f, "clean stop of {role}"),
            Self::Copier => f.write_str("a copier joins and leaves"),
            Self::RestartAll(side) => write!(f, "rolling restart of the {}", side.name()),
            Self::Reconfigure(side) => write!(f, "a member leaves and joins the {}", side.name()),
            Self::RevokeRights(side) => write!(f, "no rights at the {}", side.name()),
            Self::ChangePassword(side) => write!(f, "another password at the {}", side.name()),
            Self::NoRoom => f.write_str("no room at the destination"),
            Self::StepDown(side) => write!(f, "{} steps down", side.name()),
            Self::KillPrimary(side) => write!(f, "kill -9 of the {}'s primary", side.name()),
            Self::Network(leg, trouble) => write!(f, "{} to {}", trouble.name(), leg.name()),
        }
    }
}

impl Side {
    pub fn name(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Destination => "destination",
        }
    }
}

impl Leg {
    fn name(self) -> String {
        match self {
            Self::Set(side) => format!("all of the {}", side.name()),
            Self::Primary(side) => format!("the {}'s primary", side.name()),
            Self::Bus => "the bus".into(),
        }
    }
}

impl Trouble {
    fn name(self) -> &'static str {
        match self {
            Self::Cut => "cut",
            Self::BlackHole => "black hole",
            Self::Reset => "reset",
            Self::Delay => "delay",
        }
    }
}
