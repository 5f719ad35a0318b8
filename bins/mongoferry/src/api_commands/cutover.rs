//! `mongoferry cutover`: says that writes to the source have stopped, and waits for what becomes of it.

use std::time::Duration;

use clap::{Args, builder::FalseyValueParser};
use mongoferry_protocol::{MigrationStatus, WriteBlockStatus};
use mongoferry_stage::LogFormat;
use tokio::time::Instant;

use super::ApiArgs;
use crate::{
    amounts::ms_text,
    coordinator_api::{CoordinatorApi, Order},
    cutover_facts::{cutover_facts, silence},
    cutover_outcome::{CutoverOutcome, cutover_outcome, stays_before_cutover},
    ending::failed_exit,
    error_text::failure_status_text,
    exit::Exit,
    launcher_error::LauncherError,
    progress::Screen,
    question::{agreed_or_given, can_be_asked},
    status_text::standing_block,
};

const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Long enough to see whether somebody writes, short enough to be waited for.
const WATCHED: Duration = Duration::from_secs(3);
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
    let before = look(&api, args.yes).await?;
    if !agreed_or_given(args.yes, "cutover", question(args.block_writes)).await? {
        eprintln!("nothing was done");
        return Ok(Exit::Done);
    }
    let CutoverArgs { accept_missing_indexes, block_writes, .. } = args;
    api.order(Order::Commit { accept_missing_indexes, block_writes }).await?;
    let mut screen = Screen::new(LogFormat::Human);
    let followed = follow(&api, stays_before_cutover(&before), &mut screen).await;
    screen.clear();
    let (outcome, status) = followed?;
    conclude(outcome, &status)
}

/// Shows what the operator is about to decide on. Who is asked sees too whether the source was written to just now.
async fn look(api: &CoordinatorApi, is_decided: bool) -> Result<MigrationStatus, LauncherError> {
    let first = api.status().await?;
    let (status, watched) = if is_decided || !can_be_asked() {
        (first, None)
    } else {
        eprintln!("watching the source for {} seconds", WATCHED.as_secs());
        tokio::time::sleep(WATCHED).await;
        let status = api.status().await?;
        let told = silence(&first, &status, WATCHED);
        (status, Some(told))
    };
    for line in cutover_facts(&status).into_iter().chain(watched) {
        eprintln!("{line}");
    }
    Ok(status)
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
    let told = match outcome {
        CutoverOutcome::UnderWay => unreachable!("followed until it is over"),
        CutoverOutcome::Committed => {
            let downtime = status.write_downtime_ms.map(|downtime| format!("; write downtime {}", ms_text(downtime)));
            eprintln!("committed: the destination may be written to{}", downtime.unwrap_or_default());
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
    };
    // Of the destination's, only one that nobody lifts by himself any more.
    let stays = |block: &&WriteBlockStatus| status.phase.is_final() || block.cluster == "source";
    status.write_blocks.iter().filter(stays).for_each(|block| eprintln!("{}", standing_block(block)));
    told
}
