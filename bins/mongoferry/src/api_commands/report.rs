//! `mongoferry report`.

use clap::{Args, builder::FalseyValueParser};

use super::ApiArgs;
use crate::{exit::Exit, launcher_error::LauncherError, report_markdown::report_markdown, standard_output::print_data};

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
        print_data(&(api.report_json().await? + "\n"))?;
    } else {
        print_data(&report_markdown(&api.report().await?))?;
    }
    Ok(Exit::Done)
}
