//! `mongoferry throttle`.

use clap::{ArgGroup, Args, builder::FalseyValueParser};
use mongoferry_protocol::Throttle;

use super::ApiArgs;
use crate::{exit::Exit, launcher_error::LauncherError, status_text::throttle_phrase};

const MIB: f64 = 1024.0 * 1024.0;

/// What is not given is not limited.
#[derive(Args)]
#[command(group = ArgGroup::new("limits").required(true).multiple(true))]
pub struct ThrottleArgs {
    #[command(flatten)]
    api: ApiArgs,
    /// Documents a second, over all copiers together.
    #[arg(long, value_name = "N", env = "MONGOFERRY_DOCUMENTS_PER_SECOND", group = "limits",
        value_parser = clap::value_parser!(u64).range(1..))]
    documents_per_second: Option<u64>,
    /// MiB of documents a second, over all copiers together.
    #[arg(long, value_name = "MIB", env = "MONGOFERRY_MIB_PER_SECOND", group = "limits", value_parser = rate)]
    mib_per_second: Option<f64>,
    /// Ranges that are copied at a time.
    #[arg(long, value_name = "N", env = "MONGOFERRY_RANGES_AT_ONCE", group = "limits",
        value_parser = clap::value_parser!(u32).range(1..))]
    ranges_at_once: Option<u32>,
    /// Lift every limit.
    #[arg(long, env = "MONGOFERRY_OFF", group = "limits", value_parser = FalseyValueParser::new(),
        conflicts_with_all = ["documents_per_second", "mib_per_second", "ranges_at_once"])]
    off: bool,
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(rate) if rate > 0.0 && rate < 1e9 => Ok(rate),
        _ => Err("it is no number above 0; `mongoferry pause` lets the copy rest".into()),
    }
}

pub async fn throttle(args: ThrottleArgs) -> Result<Exit, LauncherError> {
    let throttle = Throttle {
        documents_per_second: args.documents_per_second,
        bytes_per_second: args.mib_per_second.map(|rate| ((rate * MIB) as u64).max(1)),
        ranges_at_once: args.ranges_at_once,
    };
    args.api.open()?.throttle(&throttle).await?;
    eprintln!("the copy is held to: {}", throttle_phrase(&throttle).unwrap_or_else(|| "nothing".into()));
    Ok(Exit::Done)
}
