//! `mongoferry cutover`: says that writes to the source have stopped, and waits for what becomes of it.

use std::time::Duration;

use clap::{Args, builder::FalseyValueParser};
use mongoferry_protocol::MigrationStatus;
use mongoferry_stage::LogFormat;
use tokio::time::Instant;

use super::ApiArgs;
use crate::{
    amounts::ms_text,
    coordinator_api::{CoordinatorApi, Order},
    cutover_outcome::{CutoverOutcome, cutover_outcome},
    ending::failed_exit,
    error_text::failure_status_text,
    exit::Exit,
    launcher_error::LauncherError,
    progress::Screen,
    question::agreed,
    status_text::prediction_lines,
};

const LOOK_EVERY: Duration = Duration::from_millis(250);
/// A coordinator that was killed is started again within this time.
const SILENCE_ENDURED: Duration = Duration::from_secs(30);

#[derive(Args)]
pub struct CutoverArgs {
    #[command(flatten)]
    api: ApiArgs,
    /// Do not ask whether writes to the source have stopped.
    #[arg(long, env = "MONGOFERRY_YES", value_parser = FalseyValueParser::new())]
    yes: bool,
    /// Keep users from writing to the source from now on, instead of stopping the applications. Needs 6.0 and the privilege
    /// setUserWriteBlockMode; lifted by itself if the cutover is taken back, and left in place behind the commit.
    #[arg(long, env = "MONGOFERRY_BLOCK_WRITES", value_parser = FalseyValueParser::new())]
    block_writes: bool,
    /// Go without the indexes that the destination can't build; `mongoferry status` lists them.
    #[arg(long, env = "MONGOFERRY_ACCEPT_MISSING_INDEXES", value_parser = FalseyValueParser::new())]
    accept_missing_indexes: bool,
}

pub async fn cutover(args: CutoverArgs) -> Result<Exit, LauncherError> {
    let api = args.api.open()?;
    let before = api.status().await?;
    for line in prediction_lines(&before) {
        eprintln!("{line}");
    }
    if !args.yes && !agreed(question(args.block_writes)).await? {
        eprintln!("nothing was done");
        return Ok(Exit::Done);
    }
    let CutoverArgs { accept_missing_indexes, block_writes, .. } = args;
    api.order(Order::Commit { accept_missing_indexes, block_writes }).await?;
    let mut screen = Screen::new(LogFormat::Human);
    let followed = follow(&api, before.phases.len(), &mut screen).await;
    screen.clear();
    let (outcome, status) = followed?;
    conclude(outcome, &status)
}

fn question(block_writes: bool) -> &'static str {
    if block_writes {
        "Block the writes of users on the source and cut over now?"
    } else {
        "Have the writes to the source stopped?"
    }
}

async fn follow(
    api: &CoordinatorApi,
    stays_before: usize,
    screen: &mut Screen,
) -> Result<(CutoverOutcome, MigrationStatus), LauncherError> {
    let mut heard_at = Instant::now();
    loop {
        match api.status().await {
            Ok(status) => {
                heard_at = Instant::now();
                screen.show(&status);
                match cutover_outcome(stays_before, &status) {
                    CutoverOutcome::UnderWay => {}
                    outcome => return Ok((outcome, status)),
                }
            }
            Err(error) if heard_at.elapsed() > SILENCE_ENDURED => return Err(error),
            Err(_) => {}
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

fn conclude(outcome: CutoverOutcome, status: &MigrationStatus) -> Result<Exit, LauncherError> {
    match outcome {
        CutoverOutcome::UnderWay => unreachable!("followed until it is over"),
        CutoverOutcome::Committed => {
            let downtime = status.write_downtime_ms.map(|downtime| format!("; write downtime {}", ms_text(downtime)));
            eprintln!("committed: the destination may be written to{}", downtime.unwrap_or_default());
            for block in &status.write_blocks {
                eprintln!("the {} refuses the writes of users; to lift it there: {}", block.cluster, block.lift);
            }
            Ok(Exit::Done)
        }
        CutoverOutcome::TakenBack(reason) => Err(LauncherError::CutoverTakenBack { reason }),
        CutoverOutcome::Cancelled => Err(LauncherError::CancelledMeanwhile),
        CutoverOutcome::Failed => {
            for failure in &status.failures {
                eprintln!("{}", failure_status_text(failure));
            }
            Ok(failed_exit(0, &status.failures))
        }
    }
}
