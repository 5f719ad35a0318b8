//! Every directory of `tests/cases` in one migration for each release of a source: each case has databases of its own.

use std::path::Path;

use bson::Timestamp;
use mongoferry_mongo::CollectionInfo;
use mongoferry_testbed::MongodVersion::{self, V4_2_6, V4_4_2, V5_0_4, V6_0_5, V6_0_27};
use mongoferry_tests::binary;

use crate::{
    case::{Case, Mark, Operation},
    follow::last_entry,
    migration::Migration,
    piecemeal_copy::PiecemealCopy,
    player::Player,
    servers::Servers,
    tally::Tally,
};

const PAIRS: [(MongodVersion, MongodVersion); 7] = [
    (V4_2_6, V4_2_6),
    (V4_2_6, V6_0_5),
    (V4_4_2, V4_4_2),
    (V4_4_2, V6_0_27),
    (V5_0_4, V5_0_4),
    (V5_0_4, V6_0_5),
    (V6_0_5, V6_0_27),
];

fn all_cases() -> Vec<Case> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let entries = std::fs::read_dir(directory).expect("cases are there").map(|entry| entry.expect("readable").path());
    let mut cases: Vec<Case> = entries.filter(|path| path.is_dir()).map(|path| Case::read(&path)).collect();
    cases.sort_by(|one, other| one.name.cmp(&other.name));
    cases
}

#[tokio::test(flavor = "multi_thread")]
async fn every_case_ends_equal_on_both_sides() {
    binary("mongoferry-applier");
    let cases = all_cases();
    assert!(cases.len() >= 30);
    for (source, destination) in PAIRS {
        let servers = Servers::start(source, destination).await;
        let concerned: Vec<&Case> = cases.iter().filter(|case| case.concerns(servers.release())).collect();
        run(&servers, &concerned).await;
    }
}

struct Running<'a> {
    migration: Migration<'a>,
    player: Player,
    servers: &'a Servers,
    tally: Tally,
}

async fn run(servers: &Servers, cases: &[&Case]) {
    let player = Player::new(servers);
    let migration = Migration::create(servers, "cases").await;
    let mut running = Running { migration, player, servers, tally: Tally::default() };
    for case in cases {
        for operation in &case.setup {
            running.perform(case, operation, None).await;
        }
    }
    let start = running.migration.capture().await;
    for case in cases {
        for operation in before_listing(case) {
            running.perform(case, operation, None).await;
        }
    }
    let copy = PiecemealCopy::list(&running.migration, start, 1, false).await;
    for case in cases {
        for operation in &case.operations[before_listing(case).len()..] {
            running.perform(case, operation, Some(&copy)).await;
        }
    }
    copy.take_turn(&running.migration, last_entry(&servers.user).await, &mut running.tally, |_, _| true).await;
    copy.finish(&running.migration).await;
    running.migration.replay().await;
    let from = Timestamp { time: start.capture_from.t, increment: start.capture_from.i };
    running.conclude(cases, from).await;
}

/// What a case does before the collections are listed; nothing unless it says when that is.
fn before_listing(case: &Case) -> &[Operation] {
    let list = case.operations.iter().position(|operation| matches!(operation, Operation::Mark(Mark::List)));
    &case.operations[..list.unwrap_or(0)]
}

impl Running<'_> {
    async fn perform(&mut self, case: &Case, operation: &Operation, copy: Option<&PiecemealCopy>) {
        let wanted: Option<Vec<Vec<u8>>> = match operation {
            Operation::Copy { copy } => Some(copy.0.iter().map(|id| id.as_bytes().to_vec()).collect()),
            Operation::Mark(Mark::Copy) => None,
            Operation::Mark(Mark::List) => return,
            Operation::Run(_) | Operation::Transaction { .. } => return self.act(case, operation).await,
        };
        let copy = copy.expect("copies after the listing");
        let now = last_entry(&self.servers.user).await;
        let chosen = |info: &CollectionInfo, id: &[u8]| {
            case.owns(info.namespace.database())
                && wanted.as_ref().is_none_or(|wanted| wanted.iter().any(|wanted| wanted == id))
        };
        copy.take_turn(&self.migration, now, &mut self.tally, chosen).await;
    }

    async fn act(&mut self, case: &Case, operation: &Operation) {
        let action = case.action(operation).expect("is the user's");
        let outcome = self.player.perform(&action).await;
        let fails = if let Operation::Run(run) = operation { run.fails } else { None };
        match (outcome, fails) {
            (Ok(()), None) => {}
            (Err(error), Some(code)) if error.contains(&code.to_string()) => {}
            (outcome, _) => panic!("{}: {outcome:?} of {action:?}", case.name),
        }
    }

    async fn conclude(mut self, cases: &[&Case], from: Timestamp) {
        let differences = self.migration.conclude().await;
        let logs = self.migration.log_texts();
        self.migration.end().await;
        let (source, destination) = self.servers.versions;
        assert!(differences.is_empty(), "{source} to {destination}:\n{}\n{logs}", differences.join("\n"));
        assert!(!logs.contains("ERROR"), "{logs}");
        for case in cases {
            let mut written = Tally::default();
            written.count_oplog_of(&self.servers.user, from, |database| case.owns(database)).await;
            for kind in case.entries(self.servers.release()) {
                assert!(written.has_entry(kind), "{}: {source} wrote no entry of the kind {kind:?}", case.name);
            }
        }
    }
}
