//! Which bus a migration uses: one of its own on this machine, or one that somebody runs.

use std::path::PathBuf;

use clap::Args;

/// Where a bus is and how to log in to it.
#[derive(Clone)]
pub struct BusAddress {
    /// Holds no secret.
    pub url: String,
    pub user: Option<String>,
    pub password: Option<String>,
    pub credentials_file: Option<PathBuf>,
}

#[derive(Clone)]
pub enum BusChoice {
    /// A nats-server started for this migration alone, from this program if one is named.
    Private {
        nats_server: Option<PathBuf>,
    },
    Given(BusAddress),
}

/// A bus that somebody runs.
#[derive(Args, Clone, Debug)]
pub struct ExistingBusArgs {
    /// A bus (NATS with JetStream) that runs already. Without it `migrate` starts a private one.
    #[arg(long, value_name = "URL", env = "MONGOFERRY_NATS")]
    nats: Option<String>,
    /// User on that bus; its password is taken from MONGOFERRY_NATS_PASSWORD.
    #[arg(long, value_name = "NAME", env = "MONGOFERRY_NATS_USER", requires = "nats")]
    nats_user: Option<String>,
    /// NATS credentials file (JWT and NKey) for that bus.
    #[arg(long, value_name = "FILE", env = "MONGOFERRY_NATS_CREDENTIALS", requires = "nats")]
    nats_credentials: Option<PathBuf>,
}

#[derive(Args, Clone, Debug)]
pub struct BusArgs {
    #[command(flatten)]
    existing: ExistingBusArgs,
    /// The nats-server program for the private bus; found on PATH, in the cache, or fetched if left out. Unused with --nats.
    #[arg(long, value_name = "PATH", env = "MONGOFERRY_NATS_SERVER")]
    nats_server: Option<PathBuf>,
}

impl BusArgs {
    /// `password` is that of the given bus, from the environment.
    pub fn choice(&self, password: Option<String>) -> BusChoice {
        match self.existing.address(password) {
            None => BusChoice::Private { nats_server: self.nats_server.clone() },
            Some(address) => BusChoice::Given(address),
        }
    }
}

impl ExistingBusArgs {
    /// `None` if none is named. `password` is that of the bus, from the environment.
    pub fn address(&self, password: Option<String>) -> Option<BusAddress> {
        Some(BusAddress {
            url: self.nats.clone()?,
            user: self.nats_user.clone(),
            password,
            credentials_file: self.nats_credentials.clone(),
        })
    }
}
