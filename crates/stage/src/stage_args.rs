//! The options that all stage binaries share.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, ValueEnum};
use mongoferry_bus::BusOptions;
use mongoferry_protocol::{MigrationId, Role};

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    Human,
    Json,
}

#[derive(Args, Clone, Debug)]
pub struct StageArgs {
    /// The migration this process works for.
    #[arg(long, value_name = "NAME", env = "MONGOFERRY_ID", default_value = "default")]
    pub id: MigrationId,
    /// The bus: one NATS server with JetStream, or several of a cluster separated by commas.
    #[arg(long, value_name = "URL", env = "MONGOFERRY_NATS", default_value = "nats://127.0.0.1:4222")]
    pub nats: String,
    /// User on the bus; its password is taken from MONGOFERRY_NATS_PASSWORD.
    #[arg(long, value_name = "NAME", env = "MONGOFERRY_NATS_USER")]
    pub nats_user: Option<String>,
    /// NATS credentials file (JWT and NKey).
    #[arg(long, value_name = "FILE", env = "MONGOFERRY_NATS_CREDENTIALS")]
    pub nats_credentials: Option<PathBuf>,
    /// Copies of every stream in a NATS cluster.
    #[arg(long, value_name = "N", env = "MONGOFERRY_NATS_REPLICAS", default_value_t = 1)]
    pub nats_replicas: usize,
    /// Name of this process among those of its role. A process of the same name takes over its leases at once, so two that
    /// run at the same time must not share one. Generated if left out.
    #[arg(long, value_name = "NAME", env = "MONGOFERRY_INSTANCE")]
    pub instance: Option<String>,
    /// Serve /healthz, /readyz and /metrics here.
    #[arg(long, value_name = "ADDRESS", env = "MONGOFERRY_METRICS_LISTEN")]
    pub metrics_listen: Option<SocketAddr>,
    /// Form of the log lines on standard error.
    #[arg(long, value_enum, env = "MONGOFERRY_LOG", default_value_t = LogFormat::Human)]
    pub log: LogFormat,
    /// End when standard input closes: set by a launcher, so that nothing outlives it.
    #[arg(long, env = "MONGOFERRY_STOP_WITH_PARENT")]
    pub stop_with_parent: bool,
}

impl StageArgs {
    pub fn bus_options(&self) -> BusOptions {
        BusOptions {
            url: self.nats.clone(),
            user: self.nats_user.clone(),
            password: std::env::var("MONGOFERRY_NATS_PASSWORD").ok(),
            credentials_file: self.nats_credentials.clone(),
            replicas: self.nats_replicas,
        }
    }

    /// The instance name, safe as part of a key.
    pub(crate) fn instance_name(&self, role: Role) -> String {
        let name = self.instance.clone().unwrap_or_else(|| {
            let id = uuid::Uuid::new_v4().simple().to_string();
            format!("{role}-{}", &id[..8])
        });
        let safe = |c: char| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '-' };
        name.chars().map(safe).collect()
    }
}
