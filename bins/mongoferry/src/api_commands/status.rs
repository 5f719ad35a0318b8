//! `mongoferry status`.

use std::{
    io::{self, IsTerminal},
    time::Duration,
};

use clap::{Args, builder::FalseyValueParser};

use super::ApiArgs;
use crate::{
    coordinator_api::CoordinatorApi, exit::Exit, launcher_error::LauncherError, progress::progress_line,
    standard_output::print_data, status_text::status_text,
};

const EVERY: Duration = Duration::from_secs(1);
/// Clears the screen, and goes to its first line.
const CLEAR: &str = "\x1b[2J\x1b[H";

#[derive(Args)]
pub struct StatusArgs {
    #[command(flatten)]
    api: ApiArgs,
    /// Print the coordinator's answer as it is.
    #[arg(long, env = "MONGOFERRY_JSON", value_parser = FalseyValueParser::new())]
    json: bool,
    /// Go on showing it, once a second, until the migration ends; a line each time if this is no terminal.
    #[arg(long, env = "MONGOFERRY_WATCH", value_parser = FalseyValueParser::new(), conflicts_with = "json")]
    watch: bool,
}

pub async fn status(args: StatusArgs) -> Result<Exit, LauncherError> {
    let api = args.api.open()?;
    if args.watch {
        return watch(&api).await;
    }
    if args.json {
        print_data(&(api.status_json().await? + "\n"))?;
    } else {
        print_data(&(status_text(&api.status().await?) + "\n"))?;
    }
    Ok(Exit::Done)
}

/// A coordinator that is gone for a while, as during a restart, is said to be; one that never answered is an error.
async fn watch(api: &CoordinatorApi) -> Result<Exit, LauncherError> {
    let is_terminal = io::stdout().is_terminal();
    let mut last = api.status().await?;
    let mut trouble = None;
    loop {
        let text = if is_terminal { CLEAR.to_owned() + &status_text(&last) } else { progress_line(&last) };
        let trouble_text =
            trouble.map(|error: LauncherError| format!("\n\nas it was last: {error}")).unwrap_or_default();
        print_data(&(text + &trouble_text + "\n"))?;
        if last.phase.is_final() {
            return Ok(Exit::Done);
        }
        tokio::time::sleep(EVERY).await;
        trouble = None;
        match api.status().await {
            Ok(status) => last = status,
            Err(error) => trouble = Some(error),
        }
    }
}
