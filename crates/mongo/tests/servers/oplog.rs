use bson::{RawDocumentBuf, doc, rawdoc};
use mongodb::ClientSession;
use mongoferry_mongo::{
    MongoError, OplogCursor, append_note, choose_start_point, last_optimes, oplog_bounds, wait_for_majority,
};
use mongoferry_protocol::{Explain, Optime, Retry};
use mongoferry_testbed::ReplicaSet;

use crate::{Server, of_set, server};

fn optime_of(entry: &bson::RawDocument) -> Optime {
    let ts = entry.get_timestamp("ts").expect("ts");
    Optime::new(ts.time, ts.increment)
}

/// Reads until `enough` says so of all entries together.
async fn read_until(
    server: &Server,
    cursor: &mut OplogCursor,
    enough: impl Fn(&[RawDocumentBuf]) -> bool,
) -> Vec<RawDocumentBuf> {
    let mut read = Vec::new();
    while !enough(&read) {
        let entries = cursor.next().await.expect("reads");
        read.extend(entries.documents(&server.cluster).expect("valid").into_iter().map(ToOwned::to_owned));
    }
    read
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cursor_begins_with_the_wanted_entry_and_goes_on() {
    let source = server().await;
    let start = choose_start_point(&source.cluster).await.expect("a start point");
    assert!(start.capture_from <= start.apply_after);
    let mut cursor = OplogCursor::open(&source.cluster, start.capture_from).await.expect("opens");
    source.insert("shop", "orders", (0..3).map(|n| doc! {"_id": n}).collect()).await;
    let inserts = |read: &[RawDocumentBuf]| {
        read.iter().filter(|entry| entry.get_str("ns").is_ok_and(|ns| ns == "shop.orders")).count()
    };
    let read = read_until(&source, &mut cursor, |read| inserts(read) == 3).await;
    assert_eq!(optime_of(&read[0]), start.capture_from);
    assert!(read.windows(2).all(|pair| optime_of(&pair[0]) < optime_of(&pair[1])));

    let noted =
        append_note(&source.cluster, doc! {"mongoferry": "sentinel"}).await.expect("writes").expect("permitted");
    let read = read_until(&source, &mut cursor, |read| read.iter().any(|entry| optime_of(entry) >= noted)).await;
    let note = read.iter().find(|entry| entry.get_str("op").is_ok_and(|op| op == "n")).expect("the note");
    assert_eq!(note.get_document("o").expect("o").get_str("mongoferry").expect("the text"), "sentinel");
    assert!(wait_for_majority(&source.cluster, noted).await.expect("optimes").majority >= noted);
    source.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_batch_comes_after_the_wait() {
    let source = server().await;
    let mut cursor = OplogCursor::open(&source.cluster, last_optimes(&source.cluster).await.expect("optimes").majority)
        .await
        .expect("opens");
    loop {
        let entries = cursor.next().await.expect("reads");
        if entries.documents(&source.cluster).expect("valid").is_empty() {
            break;
        }
    }
    source.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_entry_is_noticed() {
    let source = of_set(ReplicaSet::builder().oplog_mib(1).start().await.expect("a replica set")).await;
    let from = choose_start_point(&source.cluster).await.expect("a start point").capture_from;
    let mut live = OplogCursor::open(&source.cluster, from).await.expect("opens");
    let block = "x".repeat(1024 * 1024);
    loop {
        source.insert("shop", "blocks", (0..10).map(|_| doc! {"text": &block}).collect()).await;
        if oplog_bounds(&source.cluster).await.expect("bounds").0 > from {
            break;
        }
    }
    let refused = loop {
        // While the oplog is being cut short, the very query can be a victim.
        match OplogCursor::open(&source.cluster, from).await.err().expect("the entry is gone") {
            MongoError::CursorLost { .. } => {}
            error => break error,
        }
    };
    match refused {
        error @ MongoError::RolledOff { wanted, oldest, .. } => {
            assert!(wanted == from && oldest > from);
            assert_eq!(error.retry(), Retry::Never);
        }
        error => panic!("{error:?}"),
    }
    // A cursor that stood there must not go on behind the gap without saying so: either it has all, or it dies.
    let mut last = from;
    for _ in 0..20 {
        match live.next().await {
            Ok(entries) => {
                for entry in entries.documents(&source.cluster).expect("valid") {
                    last = last.max(optime_of(entry));
                }
            }
            Err(error) => {
                assert!(matches!(error, MongoError::CursorLost { .. }), "{error:?}");
                println!("the live cursor died at {last}: {error:?}");
                break;
            }
        }
    }
    source.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_that_never_was_is_told_from_one_that_rolled_off() {
    let source = server().await;
    source.insert("shop", "orders", vec![doc! {"_id": 1}]).await;
    let (oldest, newest) = oplog_bounds(&source.cluster).await.expect("bounds");
    assert!(oldest < newest);
    let never = Optime::new(oldest.t, 999_999);
    let error = OplogCursor::open(&source.cluster, never).await.err().expect("no such entry");
    assert!(matches!(error, MongoError::OtherHistory { wanted, .. } if wanted == never), "{error:?}");
    source.end().await;
}

/// Inserts in a transaction and leaves it prepared; returns the session that keeps it open, and the entry's optime.
async fn prepare_transaction(server: &Server) -> (ClientSession, Optime) {
    let mut session = server.user.start_session().await.expect("a session");
    session.start_transaction().await.expect("begins");
    let orders = server.user.database("shop").collection::<RawDocumentBuf>("orders");
    orders.insert_one(rawdoc! {"_id": "in transaction"}).session(&mut session).await.expect("inserts");
    let prepare = doc! {"prepareTransaction": 1, "writeConcern": {"w": "majority"}};
    let reply = server.user.database("admin").run_command(prepare).session(&mut session).await.expect("prepares");
    let prepared = reply.get_timestamp("prepareTimestamp").expect("a timestamp");
    (session, Optime::new(prepared.time, prepared.increment))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prepared_transaction_is_captured_from_its_first_entry() {
    let set = ReplicaSet::builder().parameter("enableTestCommands=1").start().await.expect("a replica set");
    let source = of_set(set).await;
    source.insert("shop", "orders", vec![doc! {"_id": 1}]).await;
    let before = last_optimes(&source.cluster).await.expect("optimes").last;
    let (mut session, prepared) = prepare_transaction(&source).await;
    for n in 2..5 {
        source.insert("shop", "others", vec![doc! {"_id": n}]).await;
    }
    let start = choose_start_point(&source.cluster).await.expect("a start point");
    assert_eq!(start.capture_from, prepared);
    assert!(start.capture_from > before && start.apply_after > start.capture_from);
    let cursor = OplogCursor::open(&source.cluster, start.capture_from).await;
    assert!(cursor.is_ok());
    drop(cursor);
    session.abort_transaction().await.expect("aborts");
    drop(session);
    source.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_within_a_chain_goes_back_to_its_beginning() {
    let set = ReplicaSet::builder().parameter("maxNumberOfTransactionOperationsInSingleOplogEntry=1");
    let source = of_set(set.start().await.expect("a replica set")).await;
    source.insert("shop", "orders", vec![doc! {"_id": 0}]).await;
    let mut session = source.user.start_session().await.expect("a session");
    session.start_transaction().await.expect("begins");
    let orders = source.user.database("shop").collection::<RawDocumentBuf>("orders");
    for n in 1..4 {
        orders.insert_one(rawdoc! {"_id": n}).session(&mut session).await.expect("inserts");
    }
    session.commit_transaction().await.expect("commits");
    drop(session);
    let (_, newest) = oplog_bounds(&source.cluster).await.expect("bounds");
    let start = choose_start_point(&source.cluster).await.expect("a start point");
    // The chain's last entry is no partial one: everything up to it is in what is read afterwards.
    assert_eq!(start.capture_from, newest);

    let find = doc! {"find": "oplog.rs", "filter": {"o.partialTxn": true}, "sort": {"$natural": 1}};
    let chain = source.run("local", find).await;
    let chain = chain.get_document("cursor").expect("a cursor").get_array("firstBatch").expect("entries").clone();
    let optimes: Vec<Optime> = chain
        .iter()
        .map(|entry| entry.as_document().expect("a document").get_timestamp("ts").expect("ts"))
        .map(|ts| Optime::new(ts.time, ts.increment))
        .collect();
    assert_eq!(optimes.len(), 2);
    let found = mongoferry_mongo::first_of_chain(&source.cluster, optimes[1]).await.expect("walks");
    assert_eq!(found, optimes[0]);
    source.end().await;
}

/// The secondaries go on, or don't, with what they fetch.
async fn hold_back(source: &Server, mode: &str) {
    for member in 0..source.set.member_count() {
        let client = source.set.client_of_member(member).await.expect("connects");
        let hello = client.database("admin").run_command(doc! {"hello": 1}).await.expect("answers");
        if hello.get_bool("secondary").expect("says so") {
            let fail_point = doc! {"configureFailPoint": "rsSyncApplyStop", "mode": mode};
            client.database("admin").run_command(fail_point).await.expect("is a test command");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prepared_transaction_that_just_ended_is_captured_whole_or_not_at_all() {
    let builder = ReplicaSet::builder().members(3).parameter("enableTestCommands=1");
    let source = of_set(builder.start().await.expect("a replica set")).await;
    source.insert("shop", "orders", vec![doc! {"_id": 1}]).await;
    let mut session = source.user.start_session().await.expect("a session");
    session.start_transaction().await.expect("none is open");
    let insert = doc! {"insert": "orders", "documents": [{"_id": 2}]};
    source.user.database("shop").run_command(insert).session(&mut session).await.expect("inserts");
    let admin = source.user.database("admin");
    let prepare = doc! {"prepareTransaction": 1, "writeConcern": {"w": "majority"}};
    let prepared = admin.run_command(prepare).session(&mut session).await.expect("is prepared");
    let prepared = prepared.get_timestamp("prepareTimestamp").expect("has one");
    source.insert("shop", "orders", vec![doc! {"_id": 3}]).await;

    hold_back(&source, "alwaysOn").await;
    let commit = doc! {"commitTransaction": 1, "commitTimestamp": prepared, "writeConcern": {"w": 1}};
    let committed = admin.run_command(commit).session(&mut session).await.expect("commits");
    let committed = committed.get_timestamp("operationTime").expect("has one");
    let (prepared, committed) =
        (Optime::new(prepared.time, prepared.increment), Optime::new(committed.time, committed.increment));
    assert!(last_optimes(&source.cluster).await.expect("answers").majority < committed);
    let release = async {
        // Only so that a choice which does not wait has ended by now.
        tokio::time::sleep(std::time::Duration::from_secs(2)).await;
        hold_back(&source, "off").await;
    };
    let (start, ()) = tokio::join!(choose_start_point(&source.cluster), release);
    let start = start.expect("a start point");
    assert!(start.capture_from <= prepared || start.apply_after >= committed, "{start:?} {prepared} {committed}");
    source.end().await;
}
