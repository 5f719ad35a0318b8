//! What is to be migrated, from where to where, and how: the launcher's input, checked as far as it can be without a server.

use std::{net::SocketAddr, num::NonZeroUsize, path::PathBuf};

use clap::ValueEnum;
use mongoferry_protocol::MigrationId;
use mongoferry_stage::{ApiTokenArgs, LogFormat, NotifyArgs, SecretUri, TimeLimit};

use crate::bus_choice::BusChoice;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Cutover {
    /// Wait, in step with the source, until the operator says so.
    Manual,
    /// Cut over as soon as possible: asserts that nobody writes to the source.
    Auto,
    /// Never: end when it could be, and predict what it would take.
    #[value(skip)]
    Rehearse,
}

impl Cutover {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::Auto => "auto",
            Self::Rehearse => "rehearse",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Start {
    /// Validate, ask at a terminal, and begin.
    Auto,
    /// Serve the page and the API, and begin when told so there.
    Manual,
}

impl Start {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Manual => "manual",
        }
    }
}

/// Whether the operator is asked before anything is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent {
    /// At a terminal.
    Asked,
    Given,
}

#[derive(Clone)]
pub struct Launch {
    pub id: MigrationId,
    pub source: SecretUri,
    pub destination: SecretUri,
    pub state_dir: PathBuf,
    pub bus: BusChoice,
    /// Where the coordinator serves its API and page. Port 0 lets the launcher choose one.
    pub listen: SocketAddr,
    pub api_token: ApiTokenArgs,
    pub copiers: NonZeroUsize,
    pub start: Start,
    pub cutover: Cutover,
    pub cutover_limit: TimeLimit,
    pub verify: bool,
    /// The replica set that may be dropped from, as the operator typed it.
    pub drop: Option<String>,
    pub notify: NotifyArgs,
    pub consent: Consent,
    pub accept_missing_indexes: bool,
    pub log: LogFormat,
}
