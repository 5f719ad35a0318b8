//! `mongoferry verify`: what was compared so far, and what differs; compared again, and repaired, if that is asked for.

use clap::{Args, builder::FalseyValueParser};
use mongoferry_protocol::{ComparisonState, Difference};

use super::{ApiArgs, compare_again::compare_again};
use crate::{
    amounts::count_text,
    coordinator_api::CoordinatorApi,
    exit::Exit,
    launcher_error::LauncherError,
    standard_output::print_data,
    status_text::{ahead_phrase, comparison_phrase},
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
    /// Compare again what is known to differ, and wait for it.
    #[arg(long, env = "MONGOFERRY_AGAIN", value_parser = FalseyValueParser::new())]
    again: bool,
    /// Copy the documents that are known to differ again, compare them again, and wait for it. A migration that failed because of
    /// them goes on.
    #[arg(long, env = "MONGOFERRY_REPAIR", value_parser = FalseyValueParser::new())]
    repair: bool,
}

/// Differences, the first of them named.
struct Found {
    headlines: Vec<String>,
    differences: Vec<Difference>,
    count: u64,
    is_whole: bool,
}

/// Ends with 3 if something differs: an operator must look.
pub async fn verify(args: VerifyArgs) -> Result<Exit, LauncherError> {
    let api = args.api.open()?;
    let found = if args.again || args.repair { anew(&api, args.repair).await? } else { so_far(&api).await? };
    if args.json {
        let json = serde_json::to_string_pretty(&found.differences).expect("differences are plain data");
        print_data(&(json + "\n"))?;
    } else {
        let mut lines = if args.list { Vec::new() } else { found.headlines };
        lines.extend(found.differences.iter().map(line));
        let untold = found.count.saturating_sub(found.differences.len() as u64);
        if untold > 0 {
            lines.push(format!("and {} more", count_text(untold)));
        }
        print_data(&lines.into_iter().map(|line| line + "\n").collect::<String>())?;
    }
    Ok(if found.count == 0 && found.is_whole { Exit::Done } else { Exit::Operator })
}

async fn so_far(api: &CoordinatorApi) -> Result<Found, LauncherError> {
    let (status, report) = (api.status().await?, api.report().await?);
    let ahead = status.verified_ahead.unwrap_or_default();
    // Those of a cutover are the verdict; before one, what was found ahead of it is what is known.
    let (differences, count) = match report.difference_count {
        0 => (ahead.differing.clone(), ahead.differing_count),
        count => (report.differences, count),
    };
    let headlines =
        vec![format!("compared so far: {}", ahead_phrase(&ahead)), format!("differences: {}", count_text(count))];
    Ok(Found { headlines, differences, count, is_whole: true })
}

async fn anew(api: &CoordinatorApi, repair: bool) -> Result<Found, LauncherError> {
    let result = compare_again(api, repair).await?;
    for remark in &result.remarks {
        eprintln!("{} [{}]\n  do     {}", remark.message, remark.code, remark.hint);
    }
    Ok(Found {
        headlines: vec![format!("compared again: {}", comparison_phrase(&result))],
        is_whole: result.state == ComparisonState::Equal,
        differences: result.differing,
        count: result.differing_count,
    })
}

fn line(difference: &Difference) -> String {
    let item = difference.item.as_ref().map(|item| format!(" {item}")).unwrap_or_default();
    format!("{}{item}: {}", difference.namespace, difference.detail)
}
