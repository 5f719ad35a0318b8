//! The least that applying needs: lanes side by side, each sending its transactions one after the other.

use bson::{RawArrayBuf, raw::cstr, rawdoc};
use mongodb::{Client, options::WriteConcern};
use tokio::task::JoinSet;

use crate::{
    bare_copy::bare_copy,
    fixture::Fixture,
    lane_transactions::{CHECKPOINTS, LANES, LaneTransactions, Transaction, new_checkpoint},
};

/// On the destination, beside what the product writes.
pub const DATABASE: &str = "bench_bare";

/// Brings the loop's own database into the state that the product's is in: copied, nothing applied.
pub async fn copy_aside(source: &Client, destination: &Client) {
    bare_copy(source, destination, &Fixture::lively(), Some(DATABASE)).await;
    let mut insert = rawdoc! { "insert": CHECKPOINTS, "writeConcern": { "w": "majority" } };
    insert.append(cstr!("documents"), (0..LANES).map(new_checkpoint).collect::<RawArrayBuf>());
    destination.database(DATABASE).run_raw_command(insert).await.expect("the destination inserts");
}

pub async fn bare_apply(destination: &Client, transactions: LaneTransactions) {
    let mut lanes = JoinSet::new();
    for lane in transactions.lanes {
        lanes.spawn(apply_lane(destination.clone(), lane));
    }
    lanes.join_all().await;
}

async fn apply_lane(destination: Client, lane: Vec<Transaction>) {
    let mut session = destination.start_session().causal_consistency(false).await.expect("a session starts");
    let database = destination.database(DATABASE);
    for commands in lane {
        let transaction = session.start_transaction().write_concern(WriteConcern::majority());
        transaction.await.expect("a transaction starts");
        for command in commands {
            let reply = database.run_raw_command(command).session(&mut session).await.expect("the destination writes");
            assert!(reply.get_i32("n").is_ok_and(|n| n > 0) && !reply.contains_key("writeErrors"), "{reply}");
        }
        session.commit_transaction().await.expect("the destination commits");
    }
}

pub async fn tidy(destination: &Client) {
    destination.database(DATABASE).drop().await.expect("a database is dropped");
}
