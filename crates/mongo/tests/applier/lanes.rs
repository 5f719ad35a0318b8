use bson::{Document, Timestamp, doc, oid::ObjectId, rawdoc};
use mongoferry_mongo::{
    ApplyError, CollectionSteps, InsertForm, LaneCheckpoint, LaneRound, LaneWritten, MongoError, WriteStep,
    mark_destination,
};
use mongoferry_protocol::{Explain, Optime, Retry, WriteOrder};

use crate::{Server, at, destination, namespace, settings, uuid};

fn insert(id: i32, n: i32) -> WriteStep {
    WriteStep::Insert { document: rawdoc! {"_id": id, "n": n} }
}

fn round(t: u32, steps: Vec<WriteStep>) -> LaneRound {
    let changes = steps.len() as u64;
    let collections = vec![CollectionSteps {
        namespace: namespace("shop.orders"),
        uuid: uuid(1),
        order: WriteOrder::default(),
        steps,
    }];
    LaneRound { collections, inserts: InsertForm::Insert, checkpoint: at(t), changes }
}

#[tokio::test]
async fn every_kind_of_step_is_written_together_with_the_checkpoint() {
    let server = destination(&[(uuid(1), "shop.orders")]).await;
    let (mut state, mut writers) = server.take_over().await;
    let zero = Timestamp { time: 0, increment: 0 };
    let reference = rawdoc! {"$ref": "a", "$id": 1};
    let steps = vec![
        insert(1, 1),
        insert(2, 1),
        WriteStep::Insert { document: rawdoc! {"_id": 3, "at": zero} },
        WriteStep::Insert { document: rawdoc! {"_id": {"a": 1}, "n": 1} },
        WriteStep::Insert { document: rawdoc! {"_id": 4, "n": 1} },
        WriteStep::Replace { id: rawdoc! {"_id": 1}, document: rawdoc! {"_id": 1, "n": 2} },
        WriteStep::Replace { id: rawdoc! {"_id": 9}, document: rawdoc! {"_id": 9} },
        WriteStep::Delta { id: rawdoc! {"_id": 1}, delta: rawdoc! {"$v": 2, "diff": {"u": {"n": 3}, "i": {"m": 1}}} },
        WriteStep::Delta { id: rawdoc! {"_id": 2}, delta: rawdoc! {"$v": 1, "$set": {"n": 5}} },
        WriteStep::Delta { id: rawdoc! {"_id": 9}, delta: rawdoc! {"$v": 2, "diff": {"u": {"n": 3}}} },
        WriteStep::Delete { id: rawdoc! {"_id": 4} },
        WriteStep::Delete { id: rawdoc! {"_id": reference} },
    ];
    let written = writers[0].write(&round(150, steps)).await.expect("writes");
    assert_eq!(*written.get(), LaneWritten { checkpoint: at(150), changes: 12, retries: 0 });
    state.lane_written(0, &written);
    let expected = vec![
        doc! {"_id": 1, "n": 3, "m": 1},
        doc! {"_id": 2, "n": 5},
        doc! {"_id": 3, "at": zero},
        doc! {"_id": {"a": 1}, "n": 1},
    ];
    assert_eq!(server.documents("shop", "orders").await, expected);

    state.advance_idle(&[1], at(150)).await.expect("advances");
    let checkpoint = state.checkpoint().into_inner();
    assert_eq!((checkpoint.applied, checkpoint.changes_applied, checkpoint.term), (Optime::new(150, 1), 12, 1));
    let (again, _) = server.take_over().await;
    assert_eq!((again.lanes(), again.term()), (state.lanes(), 2));
    assert_eq!(again.checkpoint().into_inner().changes_applied, 12);
    server.end().await;
}

#[tokio::test]
async fn a_former_term_writes_nothing_any_more() {
    let server = destination(&[(uuid(1), "shop.orders")]).await;
    let (mut old, mut old_writers) = server.take_over().await;
    old_writers[0].write(&round(150, vec![insert(1, 1)])).await.expect("writes while its term lasts");
    let (new, mut new_writers) = server.take_over().await;
    assert_eq!((old.term(), new.term()), (1, 2));

    let stale = |error: &ApplyError| matches!(error, ApplyError::StaleTerm { .. }) && error.retry() == Retry::Soon;
    let refused = old_writers[0].write(&round(160, vec![insert(2, 1)])).await.expect_err("its term has ended");
    assert!(stale(&refused), "{refused}");
    let refused = old_writers[1].write(&round(160, vec![insert(3, 1)])).await.expect_err("its term has ended");
    assert!(stale(&refused), "{refused}");
    assert!(stale(&old.advance_idle(&[0, 1], at(160)).await.expect_err("its term has ended")));
    let claim = old.claim_barrier(at(160).position, Default::default()).await;
    assert!(stale(&claim.expect_err("its term has ended")));
    assert_eq!(server.documents("shop", "orders").await, [doc! {"_id": 1, "n": 1}]);

    new_writers[0].write(&round(170, vec![insert(4, 1)])).await.expect("the new term writes");
    let (last, _) = server.take_over().await;
    assert_eq!(last.lanes(), [at(170), LaneCheckpoint { sequence: 0, ..at(100) }]);
    server.end().await;
}

#[tokio::test]
async fn a_transaction_left_open_by_a_dead_applier_does_not_hold_up_its_successor() {
    let server = destination(&[]).await;
    server.take_over().await;
    // What a killed process leaves behind: a transaction that has locked a lane, on the session it had announced.
    let mut session = server.user.start_session().await.expect("a session");
    let lanes = server.user.database("mongoferry").collection::<Document>("lanes");
    let announced = doc! {"$set": {"sessions": [session.id().clone()]}};
    lanes.update_one(doc! {"_id": 0_i64}, announced).await.expect("announces");
    session.start_transaction().await.expect("starts");
    let lock = doc! {"$set": {"transaction": ObjectId::new()}};
    lanes.update_one(doc! {"_id": 0_i64}, lock).session(&mut session).await.expect("locks the lane");
    let began = std::time::Instant::now();
    server.take_over().await;
    assert!(began.elapsed().as_secs() < 20, "{:?}", began.elapsed());
    server.end().await;
}

#[tokio::test]
async fn an_insert_of_what_is_there_replaces_it() {
    let server = destination(&[(uuid(1), "shop.orders")]).await;
    let (_, mut writers) = server.take_over().await;
    server.run("shop", doc! {"insert": "orders", "documents": [{"_id": 1, "old": true}]}).await;
    let steps = vec![insert(1, 1), insert(2, 1)];
    let written = writers[0].write(&round(150, steps.clone())).await.expect("writes");
    assert_eq!(written.get().retries, 1);
    let upserts = LaneRound { inserts: InsertForm::Upsert, ..round(160, steps) };
    let written = writers[0].write(&upserts).await.expect("writes");
    assert_eq!(written.get().retries, 0);
    assert_eq!(server.documents("shop", "orders").await, [doc! {"_id": 1, "n": 1}, doc! {"_id": 2, "n": 1}]);
    server.end().await;
}

#[tokio::test]
async fn a_unique_index_in_the_way_is_named() {
    let server = destination(&[(uuid(1), "shop.orders")]).await;
    let (_, mut writers) = server.take_over().await;
    let index = doc! {"key": {"n": 1}, "name": "n_unique", "unique": true};
    server.run("shop", doc! {"createIndexes": "orders", "indexes": [index]}).await;
    let error = writers[0].write(&round(150, vec![insert(1, 7), insert(2, 7)])).await.expect_err("not unique");
    let ApplyError::Destination(MongoError::DuplicateKey { cause, .. }) = &error else { panic!("{error}") };
    assert!(cause.message.contains("n_unique") && cause.message.contains("n: 7"), "{cause}");
    assert!(server.documents("shop", "orders").await.is_empty());
    server.end().await;
}

#[tokio::test]
async fn an_index_without_room_for_a_document_on_its_way_goes() {
    let server = destination(&[(uuid(1), "shop.orders")]).await;
    let (_, mut writers) = server.take_over().await;
    server.run("shop", doc! {"insert": "orders", "documents": [{"_id": 1, "a": [1], "b": 1}]}).await;
    let (both, one) = (doc! {"key": {"a": 1, "b": 1}, "name": "both"}, doc! {"key": {"a": 1}, "name": "one"});
    server.run("shop", doc! {"createIndexes": "orders", "indexes": [both, one]}).await;
    let delta = rawdoc! {"$v": 2, "diff": {"u": {"b": [1]}}};
    let steps = vec![WriteStep::Delta { id: rawdoc! {"_id": 1}, delta }];
    writers[0].write(&round(150, steps)).await.expect("writes");
    assert_eq!(server.documents("shop", "orders").await, [doc! {"_id": 1, "a": [1], "b": [1]}]);
    let indexes = server.run("shop", doc! {"listIndexes": "orders"}).await.to_string();
    assert!(indexes.contains("one") && !indexes.contains("both"), "{indexes}");
    server.end().await;
}

/// Lets the server fail this command the next few times.
async fn fail(server: &Server, command: &str, times: i32, how: Document) {
    let mut data = doc! {"failCommands": [command]};
    data.extend(how);
    server.run("admin", doc! {"configureFailPoint": "failCommand", "mode": {"times": times}, "data": data}).await;
}

#[tokio::test]
async fn whatever_befalls_a_transaction_its_round_is_written_once() {
    let transient = || doc! {"errorCode": 112, "errorLabels": ["TransientTransactionError"]};
    let lost = || doc! {"closeConnection": true};
    // Carried out, but neither confirmed nor told.
    let unconfirmed = || doc! {"writeConcernError": {"code": 64, "errmsg": "waiting for replication timed out"}};
    let too_large = || doc! {"errorCode": 388};
    let cases = [
        ("insert", 3, transient()),
        ("insert", 1, lost()),
        ("commitTransaction", 5, lost()),
        ("commitTransaction", 1, transient()),
        ("commitTransaction", 3, unconfirmed()),
        ("insert", 1, too_large()),
        ("insert", 2, too_large()),
        ("commitTransaction", 2, too_large()),
    ];
    let server = destination(&[(uuid(1), "shop.orders")]).await;
    let (mut state, mut writers) = server.take_over().await;
    let mut changes = 0;
    for (t, (command, times, how)) in (150..).zip(cases) {
        server.run("shop", doc! {"delete": "orders", "deletes": [{"q": {}, "limit": 0}]}).await;
        server.run("shop", doc! {"insert": "orders", "documents": [{"_id": 0, "n": 0}]}).await;
        fail(&server, command, times, how.clone()).await;
        let steps = (1..8).map(|id| insert(id, 1)).collect();
        let written = writers[0].write(&round(t, steps)).await.unwrap_or_else(|e| panic!("{command} {how}: {e}"));
        state.lane_written(0, &written);
        assert_eq!(server.documents("shop", "orders").await.len(), 8, "{command} {how}");
        changes += 7;
        assert_eq!(state.checkpoint().get().changes_applied, changes);
        let (again, new_writers) = server.take_over().await;
        assert_eq!((again.lanes()[0], again.checkpoint().get().changes_applied), (at(t), changes), "{command} {how}");
        (state, writers) = (again, new_writers);
    }
    server.end().await;
}

#[tokio::test]
async fn a_write_that_can_not_be_divided_waits_for_room_in_the_cache() {
    let server = destination(&[(uuid(1), "shop.orders")]).await;
    let (_, mut writers) = server.take_over().await;
    for (t, command) in (150..).zip(["insert", "commitTransaction"]) {
        fail(&server, command, 3, doc! {"errorCode": 388}).await;
        let written = writers[0].write(&round(t, vec![insert(i32::try_from(t).expect("small"), 1)])).await;
        assert_eq!(written.expect(command).get().retries, 3);
    }
    assert_eq!(server.documents("shop", "orders").await.len(), 2);
    server.end().await;
}

#[tokio::test]
async fn records_are_laid_out_once_and_belong_to_one_migration() {
    let server = destination(&[(uuid(1), "shop.orders")]).await;
    let (mut state, mut writers) = server.take_over().await;
    writers[0].write(&round(150, vec![insert(1, 1)])).await.expect("writes");
    state.advance_idle(&[1], at(140)).await.expect("advances");
    server.initialise(&[(uuid(2), "shop.others")]).await;
    let (state, _) = server.take_over().await;
    assert_eq!(state.lanes(), [at(150), at(140)]);
    assert_eq!(state.collections().namespace(uuid(1)), Some(&namespace("shop.orders")));
    assert_eq!(state.collections().get(uuid(2)), None);
    assert_eq!(state.replay_until(), Optime::new(200, 1));
    assert_eq!(state.resume_sequence(), 140);

    let other = mark_destination(&server.cluster, &settings(2)).await.expect_err("another migration's");
    assert!(matches!(other, ApplyError::OtherMigration { .. }), "{other}");
    assert_eq!(other.retry(), Retry::AfterFix);
    server.end().await;
}
