//! Where rounds are cut, and what lanes skip.

use bson::{RawDocumentBuf, rawdoc};
use mongoferry_oplog::{Change, ChangeKind, Cut, Ddl, IdKey, Round, RoundBuilder, RoundLimits, lane_of};
use mongoferry_protocol::{ChangePosition, CollectionUuid, Optime, WriteOrder};

const ORDER: WriteOrder = WriteOrder::ByDocument;

const UUID: CollectionUuid = CollectionUuid::from_bytes([5; 16]);
const ROOMY: RoundLimits = RoundLimits { operations: 1_000, bytes: 1_000_000 };

fn position(increment: u32) -> ChangePosition {
    ChangePosition::new(Optime::new(1, increment), 0)
}

fn insert(increment: u32, document: RawDocumentBuf) -> Change {
    Change { position: position(increment), kind: ChangeKind::Insert { uuid: UUID, document } }
}

fn drop_collection(increment: u32) -> Change {
    let ddl = Ddl::DropDatabase { database: "shop".into() };
    Change { position: position(increment), kind: ChangeKind::Ddl(ddl) }
}

fn builder(lanes: usize, limits: RoundLimits) -> RoundBuilder {
    RoundBuilder::new(vec![ChangePosition::default(); lanes], limits)
}

fn round(cut: Option<Cut>) -> Round {
    match cut {
        Some(Cut::Round(round)) => round,
        other => panic!("no round: {other:?}"),
    }
}

#[test]
fn a_round_ends_before_the_operation_that_is_one_too_many() {
    let mut builder = builder(1, RoundLimits { operations: 2, ..ROOMY });
    assert_eq!(builder.push(insert(1, rawdoc! { "_id": 1 }), ORDER), None);
    assert_eq!(builder.push(insert(2, rawdoc! { "_id": 2 }), ORDER), None);
    let first = round(builder.push(insert(3, rawdoc! { "_id": 3 }), ORDER));
    assert_eq!((first.through, first.change_count()), (position(2), 2));
    let rest = builder.take().expect("one change is left");
    assert_eq!((rest.through, rest.change_count()), (position(3), 1));
    assert_eq!(builder.take(), None);
}

#[test]
fn bytes_limit_a_round_and_a_giant_goes_alone() {
    let mut builder = builder(1, RoundLimits { bytes: 100, ..ROOMY });
    assert_eq!(builder.push(insert(1, rawdoc! { "_id": 1 }), ORDER), None);
    round(builder.push(insert(2, rawdoc! { "_id": 2, "text": "x".repeat(500) }), ORDER));
    let giant = round(builder.push(insert(3, rawdoc! { "_id": 3 }), ORDER));
    assert_eq!((giant.through, giant.lanes[0].operation_count), (position(2), 1));
}

#[test]
fn a_ddl_comes_after_all_before_it() {
    let mut builder = builder(2, ROOMY);
    builder.push(insert(1, rawdoc! { "_id": 1 }), ORDER);
    let Some(Cut::Barrier { before: Some(before), position: at, .. }) = builder.push(drop_collection(2), ORDER) else {
        panic!("no barrier")
    };
    assert_eq!((before.through, before.lanes.len(), at), (position(1), 2, position(2)));
    let Some(Cut::Barrier { before: None, .. }) = builder.push(drop_collection(3), ORDER) else { panic!("no barrier") };
}

#[test]
fn each_lane_skips_what_it_has_applied() {
    let lanes = [1, 2, 3, 4, 5].map(|id| (id, lane_of(UUID, &IdKey::Number(id.into()), 2) as usize));
    let mut builder = RoundBuilder::new(vec![position(9), position(0)], ROOMY);
    for (id, _) in lanes {
        builder.push(insert(u32::try_from(id).expect("small"), rawdoc! { "_id": id }), ORDER);
    }
    let round = builder.take().expect("changes were covered");
    assert!(round.lanes[0].is_empty());
    assert_eq!(round.lanes[1].operation_count, lanes.iter().filter(|(_, lane)| *lane == 1).count());
    assert!(!round.is_empty());
    assert_eq!((round.through, round.checkpoints), (position(5), vec![position(9), position(5)]), "none goes back");
}

#[test]
fn a_barrier_is_done_when_all_lanes_have_passed_it() {
    let mut passed = RoundBuilder::new(vec![position(2), position(5)], ROOMY);
    assert_eq!(passed.push(drop_collection(2), ORDER), None);
    assert!(passed.take().expect("it was covered").is_empty());
    let mut waiting = RoundBuilder::new(vec![position(2), position(1)], ROOMY);
    assert!(matches!(waiting.push(drop_collection(2), ORDER), Some(Cut::Barrier { before: None, .. })));
}

#[test]
fn entries_without_changes_move_the_checkpoints() {
    let mut builder = builder(2, ROOMY);
    assert_eq!(builder.take(), None);
    builder.end_entry(Optime::new(1, 7));
    let round = builder.take().expect("an entry was covered");
    assert!(round.is_empty());
    assert_eq!(round.through, ChangePosition::end_of(Optime::new(1, 7)));
}
