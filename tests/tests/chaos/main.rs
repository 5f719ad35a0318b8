//! Whole migrations between replica sets of three members, under users who never rest, while everything that can be killed,
//! stopped, deposed or cut off is, at random. Every one ends committed and byte-identical.

mod application;
mod arena;
mod budget;
mod fault;
mod inflict;
mod ledger;
mod round;
mod standby;

use arena::Arena;
use budget::Budget;
use ledger::Ledger;
use mongoferry_protocol::Phase;
use rand::{SeedableRng, rngs::StdRng};

/// In each of these a fault has to fall for a run to count.
const PHASES: [Phase; 6] =
    [Phase::Copying, Phase::CatchingUp, Phase::Ready, Phase::Draining, Phase::Verifying, Phase::Finalizing];

/// GIVEN a source in use WHEN it is migrated time and again, with faults in every phase THEN each migration goes on by itself
/// and ends with what the source has.
#[tokio::test(flavor = "multi_thread")]
async fn a_migration_survives_whatever_happens() {
    let budget = Budget::of_environment();
    eprintln!("MONGOFERRY_TEST_SEED={}", budget.seed);
    let mut rng = StdRng::seed_from_u64(budget.seed);
    let mut arena = Arena::start().await;
    let mut ledger = Ledger::default();
    let mut number = 0;
    while number == 0 || !budget.is_used_up() {
        number += 1;
        round::play(number, &mut arena, &mut rng, &mut ledger).await;
    }
    eprintln!("{}", ledger.table());
    for phase in PHASES {
        assert!(ledger.faults_in(phase) > 0, "no fault fell into phase {phase}");
    }
}
