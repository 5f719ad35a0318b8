//! Kill −9 of everything there is, one by one, in every phase: one migration that is held in each phase while each of its
//! processes, its bus and the command itself are killed. It ends committed and byte-identical, and what it did twice was in flight.
//! The table at the end tells how long each took to go on.

mod held_phases;
mod table;
mod victim;

use held_phases::Held;
use mongoferry_protocol::{IndexState, Phase};
use mongoferry_tests::Clusters;
use victim::Victim;

/// Two, so that one goes on while the other is killed.
const COPIERS: u64 = 2;

/// GIVEN a migration under a workload WHEN in each phase each role, nats-server and the command are killed, one after the other
/// THEN it goes on each time, ends byte-identical, and repeats no more than was in flight.
#[tokio::test(flavor = "multi_thread")]
async fn each_role_killed_in_each_phase() {
    let clusters = Clusters::with_fail_points().await;
    let mut held = Held::start(&clusters).await;
    held.in_validating().await;
    held.in_starting().await;
    held.in_copying().await;
    let largest_range = held.largest_range().await;
    let built = held.in_indexing().await;
    held.in_catching_up().await;
    let unbuilt = held.built_indexes().await - built;
    held.in_ready().await;
    held.in_paused().await;
    held.in_draining().await;
    held.in_verifying().await;
    held.in_finalizing().await;
    let (report, table) = held.end().await;
    clusters.assert_equal().await;
    println!("{}", table.markdown());
    println!(
        "repeated: {} documents, {} index builds, {} changes read again, {} catalog changes",
        report.repeated_documents,
        report.repeated_index_builds,
        report.repeated_changes,
        report.repeated_catalog_changes
    );

    assert_eq!(report.phase, Phase::Committed);
    assert_eq!(report.verification, "equal");
    assert!(report.indexes.iter().all(|index| index.state == IndexState::Built), "{:?}", report.indexes);
    let killed_while_copying = table.kills_in("copying") as u64;
    let in_flight = killed_while_copying * COPIERS * largest_range;
    assert!(report.repeated_documents <= in_flight, "{} of {in_flight}", report.repeated_documents);
    assert!(report.repeated_index_builds <= unbuilt, "{} of {unbuilt}", report.repeated_index_builds);
    for victim in Victim::ROLES {
        let told = report.processes.iter().find(|process| process.role == victim.name());
        let told = told.unwrap_or_else(|| panic!("{} is not in the report", victim.name()));
        let kills = table.kills_of(victim) as u32;
        assert!(told.abrupt_ends >= kills, "{kills} kills, and {told:?}");
    }
}
