//! The subcommands that drive a migration through its coordinator's HTTP API, wherever it runs.

pub mod cutover;
pub mod order;
pub mod report;
pub mod status;
pub mod verify;

use clap::Args;

use crate::{coordinator_api::CoordinatorApi, launcher_error::LauncherError};

#[derive(Args, Clone, Debug)]
pub struct ApiArgs {
    /// Where the migration's coordinator listens. A token, if it wants one, is taken from MONGOFERRY_API_TOKEN.
    #[arg(long, value_name = "URL", env = "MONGOFERRY_API", default_value = "http://127.0.0.1:27182")]
    api: String,
}

impl ApiArgs {
    pub fn open(&self) -> Result<CoordinatorApi, LauncherError> {
        CoordinatorApi::new(&self.api)
    }
}
