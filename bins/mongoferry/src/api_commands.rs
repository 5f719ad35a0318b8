//! The subcommands that drive a migration through its coordinator's HTTP API, wherever it runs.

mod compare_again;
pub mod cutover;
pub mod order;
pub mod report;
pub mod status;
pub mod throttle;
pub mod verify;

use clap::Args;
use mongoferry_stage::ApiTokenArgs;

use crate::{coordinator_api::CoordinatorApi, launcher_error::LauncherError};

#[derive(Args, Clone, Debug)]
pub struct ApiArgs {
    /// Where the migration's coordinator listens.
    #[arg(long, value_name = "URL", env = "MONGOFERRY_API", default_value = "http://127.0.0.1:27182")]
    api: String,
    #[command(flatten)]
    token: ApiTokenArgs,
}

impl ApiArgs {
    pub fn open(&self) -> Result<CoordinatorApi, LauncherError> {
        CoordinatorApi::new(&self.api, self.token.token()?)
    }
}
