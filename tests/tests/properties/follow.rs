//! Plays a history through, and compares what came of it on both sides.

use bson::{Timestamp, doc};
use mongodb::Client;

use crate::{
    history::{History, Step},
    migration::Migration,
    piecemeal_copy::PiecemealCopy,
    player::Player,
    servers::Servers,
    tally::Tally,
};

/// The differences, and what the processes at work said. Both sides must be empty before.
pub async fn follow(servers: &Servers, id: &str, history: &History, tally: &mut Tally) -> Result<(), String> {
    let mut migration = Migration::create(servers, id).await;
    let mut player = Player::new(servers);
    let (mut start, mut copy) = (None, None);
    for step in &history.steps {
        match step {
            Step::Act { name, action } => tally.act(name, player.perform(action).await),
            Step::Capture => start = Some(migration.capture().await),
            Step::List => {
                player.end_prepared(true).await;
                let start = start.expect("is captured from before the listing");
                copy = Some(PiecemealCopy::list(&migration, start, history.turns, history.whole_collections).await);
            }
            Step::Copy { turn } => {
                player.end_prepared(true).await;
                let now = last_entry(&servers.user).await;
                let copy: &PiecemealCopy = copy.as_ref().expect("listed before");
                copy.take_turn(&migration, now, tally, |info, id| copy.turn_of(info, id) == *turn).await;
            }
            Step::Replay => {
                copy.as_ref().expect("listed before").finish(&migration).await;
                migration.replay().await;
            }
            Step::Fault(fault) => migration.befall(*fault, tally).await,
        }
    }
    player.end_prepared(true).await;
    let differences = migration.conclude().await;
    let logs = migration.log_texts();
    migration.end().await;
    let from = start.expect("captured").capture_from;
    tally.count_oplog(&servers.user, Timestamp { time: from.t, increment: from.i }).await;
    if differences.is_empty() && !logs.contains("ERROR") {
        return Ok(());
    }
    Err(format!("{}\n{logs}", differences.join("\n")))
}

/// The optime of the last entry of the source's oplog.
pub async fn last_entry(user: &Client) -> Timestamp {
    let oplog = user.database("local").collection::<bson::Document>("oplog.rs");
    let last = oplog.find_one(doc! {}).sort(doc! { "$natural": -1 }).projection(doc! { "ts": 1 }).await;
    last.expect("readable").expect("there is one").get_timestamp("ts").expect("has one")
}
