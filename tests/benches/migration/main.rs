//! benchmark: what a migration costs beside bare loops that send the same commands to the same servers, within one run.
//!
//! ```text
//! fixture ──▶ round: bare copy, copy ──▶ writes while paused ──▶ bare apply, apply ──▶ cutover ──▶ table of ratios
//! ```
//!
//! Bare and product change places from round to round, and a ratio is the median of those of the rounds. It reports and
//! does not judge: it fails only if a migration does, or if what was copied or applied is not the same on both sides.

mod bare_apply;
mod bare_copy;
mod copy_records;
mod cost;
mod cpu_meter;
mod fixture;
mod lane_transactions;
mod load;
mod process_tree;
mod product;
mod report;
mod round;
mod servers;

use std::time::{Duration, Instant};

use fixture::Fixture;
use round::RoundFigures;
use servers::Servers;

/// As in the product, so that the bare loops are no slower for that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Even, so that either way is the first as often as the second.
const ROUNDS: usize = 4;
/// No further round is begun that would end later than this.
const TIME_LIMIT: Duration = Duration::from_secs(270);

fn main() {
    // Built before the clock starts.
    mongoferry_tests::binary("mongoferry");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime starts");
    runtime.block_on(benchmark());
}

async fn benchmark() {
    let began = Instant::now();
    let servers = Servers::start().await;
    let mut fixture = Fixture::fill(&servers.source).await;
    let mut rounds: Vec<RoundFigures> = Vec::new();
    while rounds.len() < ROUNDS {
        let round_began = Instant::now();
        rounds.push(round::round(&servers, &mut fixture, rounds.len().is_multiple_of(2)).await);
        if began.elapsed() + round_began.elapsed() > TIME_LIMIT {
            break;
        }
    }
    report::print(&rounds, &servers, began.elapsed());
    servers.shutdown().await;
}
