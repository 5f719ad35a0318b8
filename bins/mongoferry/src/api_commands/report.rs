//! `mongoferry report`.

use clap::{Args, builder::FalseyValueParser};

use super::ApiArgs;
use crate::{exit::Exit, launcher_error::LauncherError, report_markdown::report_markdown};

#[derive(Args)]
pub struct ReportArgs {
    #[command(flatten)]
    api: ApiArgs,
    /// Print the coordinator's answer as it is instead of Markdown.
    #[arg(long, env = "MONGOFERRY_JSON", value_parser = FalseyValueParser::new())]
    json: bool,
}

pub async fn report(args: ReportArgs) -> Result<Exit, LauncherError> {
    let api = args.api.open()?;
    if args.json {
        println!("{}", api.report_json().await?);
    } else {
        print!("{}", report_markdown(&api.report().await?));
    }
    Ok(Exit::Done)
}
