//! The options of `mongoferry demo`.

use std::{
    net::SocketAddr,
    num::{NonZeroU64, NonZeroUsize},
};

use clap::Args;
use mongoferry_stage::LogFormat;

#[derive(Args)]
pub struct DemoArgs {
    /// About how many MiB of data to migrate.
    #[arg(long, value_name = "MIB", env = "MONGOFERRY_SIZE", default_value = "300")]
    pub size: NonZeroU64,
    /// Processes that copy documents.
    #[arg(long, value_name = "N", env = "MONGOFERRY_COPIERS", default_value = "2")]
    pub copiers: NonZeroUsize,
    /// Serve the HTTP API here; port 0 chooses a free one.
    #[arg(long, value_name = "ADDRESS", env = "MONGOFERRY_LISTEN", default_value = "127.0.0.1:27182")]
    pub listen: SocketAddr,
    /// Form of progress and log lines on standard error.
    #[arg(long, value_enum, env = "MONGOFERRY_LOG", default_value_t = LogFormat::Human)]
    pub log: LogFormat,
}
