//! `mongoferry pause`, `resume`, `extend` and `cancel`: one call each, answered when it is done.

use clap::{Args, builder::FalseyValueParser};

use super::ApiArgs;
use crate::{
    coordinator_api::Order, exit::Exit, launcher_error::LauncherError, progress::phase_phrase,
    question::agreed_or_given, status_text::standing_block,
};

#[derive(Args)]
pub struct OrderArgs {
    #[command(flatten)]
    api: ApiArgs,
}

#[derive(Args)]
pub struct CancelArgs {
    #[command(flatten)]
    order: OrderArgs,
    /// Do not ask.
    #[arg(long, env = "MONGOFERRY_YES", value_parser = FalseyValueParser::new())]
    yes: bool,
}

pub async fn order(args: OrderArgs, order: Order) -> Result<Exit, LauncherError> {
    let api = args.api.open()?;
    api.order(order).await?;
    // A launcher ends its coordinator behind the last phase; then there is nothing more to say.
    if let Ok(status) = api.status().await {
        eprintln!("migration {} is {}", status.id, phase_phrase(&status));
        if status.phase.is_final() {
            status.write_blocks.iter().for_each(|block| eprintln!("{}", standing_block(block)));
        }
    }
    Ok(Exit::Done)
}

pub async fn cancel(args: CancelArgs) -> Result<Exit, LauncherError> {
    if !agreed_or_given(args.yes, "cancel", "Give this migration up? It can't be resumed.").await? {
        eprintln!("nothing was done");
        return Ok(Exit::Done);
    }
    order(args.order, Order::Cancel).await
}
