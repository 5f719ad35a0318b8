//! `mongoferry status`.

use clap::{Args, builder::FalseyValueParser};

use super::ApiArgs;
use crate::{exit::Exit, launcher_error::LauncherError, status_text::status_text};

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
        println!("{}", api.status_json().await?);
    } else {
        println!("{}", status_text(&api.status().await?));
    }
    Ok(Exit::Done)
}
