//! `mongoferry status`.

use clap::{Args, builder::FalseyValueParser};

use super::ApiArgs;
use crate::{exit::Exit, launcher_error::LauncherError, standard_output::print_data, status_text::status_text};

#[derive(Args)]
pub struct StatusArgs {
    #[command(flatten)]
    api: ApiArgs,
    /// Print the coordinator's answer as it is.
    #[arg(long, env = "MONGOFERRY_JSON", value_parser = FalseyValueParser::new())]
    json: bool,
}

pub async fn status(args: StatusArgs) -> Result<Exit, LauncherError> {
    let api = args.api.open()?;
    if args.json {
        print_data(&(api.status_json().await? + "\n"))?;
    } else {
        print_data(&(status_text(&api.status().await?) + "\n"))?;
    }
    Ok(Exit::Done)
}
