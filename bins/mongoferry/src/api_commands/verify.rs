//! `mongoferry verify`: what was compared so far, and what differs.

use clap::{Args, builder::FalseyValueParser};
use mongoferry_protocol::Difference;

use super::ApiArgs;
use crate::{
    amounts::count_text, exit::Exit, launcher_error::LauncherError, standard_output::print_data,
    status_text::ahead_phrase,
};

#[derive(Args)]
pub struct VerifyArgs {
    #[command(flatten)]
    api: ApiArgs,
    /// Print nothing but the differences, a line each.
    #[arg(long, env = "MONGOFERRY_LIST", value_parser = FalseyValueParser::new())]
    list: bool,
    /// Print the differences as a JSON array.
    #[arg(long, env = "MONGOFERRY_JSON", value_parser = FalseyValueParser::new(), conflicts_with = "list")]
    json: bool,
}

/// Ends with 3 if something differs: an operator must look.
pub async fn verify(args: VerifyArgs) -> Result<Exit, LauncherError> {
    let api = args.api.open()?;
    let (status, report) = (api.status().await?, api.report().await?);
    let ahead = status.verified_ahead.unwrap_or_default();
    // Those of a cutover are the verdict; before one, what was found ahead of it is what is known.
    let (differences, count) = match report.difference_count {
        0 => (ahead.differing.clone(), ahead.differing_count),
        count => (report.differences, count),
    };
    if args.json {
        let json = serde_json::to_string_pretty(&differences).expect("differences are plain data");
        print_data(&(json + "\n"))?;
    } else {
        let mut lines = Vec::new();
        if !args.list {
            lines.push(format!("compared so far: {}", ahead_phrase(&ahead)));
            lines.push(format!("differences: {}", count_text(count)));
        }
        lines.extend(differences.iter().map(line));
        let untold = count.saturating_sub(differences.len() as u64);
        if untold > 0 {
            lines.push(format!("and {} more", count_text(untold)));
        }
        print_data(&lines.into_iter().map(|line| line + "\n").collect::<String>())?;
    }
    Ok(if count == 0 { Exit::Done } else { Exit::Operator })
}

fn line(difference: &Difference) -> String {
    let item = difference.item.as_ref().map(|item| format!(" {item}")).unwrap_or_default();
    format!("{}{item}: {}", difference.namespace, difference.detail)
}
