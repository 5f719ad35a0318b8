//! Random operations on a real source, a copy that reads each document at a time of its own, the captured oplog replayed
//! over it by the real tailer and applier through kills and takeovers: both sides must end equal, byte for byte.

use std::{collections::BTreeSet, io::Write as _, time::Instant};

use mongoferry_testbed::MongodVersion::{self, V4_2_6, V4_4_2, V5_0_4, V6_0_5, V6_0_27};
use mongoferry_tests::binary;

use crate::{
    budget::Budget,
    follow::follow,
    history::History,
    servers::{Servers, release_of},
    tally::Tally,
};

/// Each is toured once and then tried at random.
const PAIRS: [(MongodVersion, MongodVersion); 7] = [
    (V4_2_6, V6_0_5),
    (V4_4_2, V6_0_27),
    (V5_0_4, V6_0_5),
    (V6_0_5, V6_0_27),
    (V4_2_6, V4_2_6),
    (V4_4_2, V4_4_2),
    (V5_0_4, V5_0_4),
];
/// Seeds of tours are small.
const TOUR: u64 = 100;

#[tokio::test(flavor = "multi_thread")]
async fn random_histories_end_equal_on_both_sides() {
    // Builds it if need be, which costs none of the budget.
    binary("mongoferry-applier");
    let budget = Budget::of_environment();
    if let Some(seed) = budget.only {
        return again(seed).await;
    }
    let mut all = Tally::default();
    for (done, pair) in PAIRS.into_iter().enumerate() {
        let until = Instant::now() + budget.share(PAIRS.len() - done);
        all.add(of_pair(done, pair, until).await);
    }
    // A few histories of one version may miss what chance leaves out; those of all versions that write it do not.
    let versions = PAIRS.into_iter().map(|pair| pair.0);
    let unwritten: BTreeSet<_> = versions.flat_map(|source| all.missing_entries(release_of(source))).collect();
    let mut missing: Vec<String> = unwritten.into_iter().map(|name| format!("never written: {name}")).collect();
    missing.extend(all.missing_events().into_iter().map(|name| format!("never met: {name}")));
    say(&format!("{} histories\n{}", all.histories, all.table()));
    assert!(missing.is_empty(), "the histories prove too little:\n  {}", missing.join("\n  "));
}

/// A tour, then random histories until the time is over; at least one.
async fn of_pair(number: usize, pair: (MongodVersion, MongodVersion), until: Instant) -> Tally {
    let servers = Servers::start(pair.0, pair.1).await;
    let mut tally = Tally::default();
    play(&servers, seed_of(TOUR, number), &mut tally).await;
    loop {
        let seed = seed_of(rand::random::<u64>() >> 1 | 1 << 33, number);
        play(&servers, seed, &mut tally).await;
        if Instant::now() >= until {
            return tally;
        }
    }
}

/// About `seed`, for the pair of this number.
fn seed_of(seed: u64, number: usize) -> u64 {
    let pairs = PAIRS.len() as u64;
    seed / pairs * pairs + number as u64
}

/// The seed also tells which pair it is for, and small ones are tours.
async fn again(seed: u64) {
    let pair = PAIRS[usize::try_from(seed % PAIRS.len() as u64).expect("less than their number")];
    let servers = Servers::start(pair.0, pair.1).await;
    let mut tally = Tally::default();
    play(&servers, seed, &mut tally).await;
    say(&tally.table());
}

async fn play(servers: &Servers, seed: u64, tally: &mut Tally) {
    let (source, destination) = servers.versions;
    let history =
        if seed < 1 << 32 { History::tour(seed, servers.release()) } else { History::random(seed, servers.release()) };
    say(&format!("MONGOFERRY_TEST_SEED={seed} {source} to {destination}, {} steps", history.steps.len()));
    let began = Instant::now();
    servers.clear().await;
    if let Err(difference) = follow(servers, &format!("p{seed}"), &history, tally).await {
        panic!("MONGOFERRY_TEST_SEED={seed} ({source} to {destination}) does not end equal:\n{difference}");
    }
    say(&format!("  equal after {:.1} s", began.elapsed().as_secs_f32()));
}

/// On standard error also when the test passes.
fn say(text: &str) {
    writeln!(std::io::stderr(), "{text}").expect("standard error takes text");
}
