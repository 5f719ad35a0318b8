//! What no server of the corpus wrote, or only among much else: hand-made entries and what they decode to.

use bson::{Binary, Bson, Document, RawDocumentBuf, Timestamp, doc, spec::BinarySubtype};
use mongoferry_oplog::{Change, ChangeKind, Ddl, EntryDecoder, OplogEntry, OplogError, Relevance, relevance};
use mongoferry_protocol::{ChangePosition, Explain, Optime, StartPoint};

fn raw(document: &Document) -> RawDocumentBuf {
    RawDocumentBuf::try_from(document).expect("a document")
}

fn decoder(apply_after: u32) -> EntryDecoder {
    EntryDecoder::new(StartPoint { capture_from: Optime::new(1, 1), apply_after: Optime::new(1, apply_after) })
}

fn ts(increment: u32) -> Bson {
    Timestamp { time: 1, increment }.into()
}

fn uuid(byte: u8) -> Bson {
    Binary { subtype: BinarySubtype::Uuid, bytes: vec![byte; 16] }.into()
}

fn entry(increment: u32, op: &str, ns: &str, o: Document) -> Document {
    doc! { "ts": ts(increment), "op": op, "ns": ns, "ui": uuid(1), "o": o, "o2": { "_id": 1 } }
}

fn insert(id: i32) -> Document {
    doc! { "op": "i", "ns": "shop.orders", "ui": uuid(1), "o": { "_id": id } }
}

/// An entry of transaction 5 of one session; `previous` is 0 for none.
fn part(increment: u32, previous: u32, o: Document) -> Document {
    let previous = if previous == 0 { Timestamp { time: 0, increment: 0 }.into() } else { ts(previous) };
    doc! { "ts": ts(increment), "op": "c", "ns": "admin.$cmd", "o": o, "lsid": { "id": 7 }, "txnNumber": 5_i64,
    "prevOpTime": { "ts": previous, "t": 1_i64 } }
}

fn ids(changes: &[Change]) -> Vec<i32> {
    let id = |change: &Change| change.kind.target().expect("no DDL").1.get_i32("_id").expect("an int32");
    changes.iter().map(id).collect()
}

fn decoded_ids(decoder: &mut EntryDecoder, entry: &Document) -> Vec<i32> {
    ids(&decoder.decode(&raw(entry)).expect("decodes"))
}

fn failure(entry: &Document) -> OplogError {
    decoder(0).decode(&raw(entry)).expect_err("refused")
}

#[test]
fn a_chain_is_yielded_whole_where_it_ends() {
    let mut decoder = decoder(0);
    assert!(
        decoded_ids(&mut decoder, &part(2, 0, doc! { "applyOps": [insert(1), insert(2)], "partialTxn": true }))
            .is_empty()
    );
    assert_eq!(decoded_ids(&mut decoder, &entry(3, "i", "shop.orders", doc! { "_id": 9 })), [9]);
    assert!(decoded_ids(&mut decoder, &part(4, 2, doc! { "applyOps": [insert(3)], "partialTxn": true })).is_empty());
    assert_eq!(decoder.oldest_open(), Some(Optime::new(1, 2)));
    let end = part(5, 4, doc! { "applyOps": [insert(4)], "count": 4 });
    let changes = decoder.decode(&raw(&end)).expect("decodes");
    assert_eq!(ids(&changes), [1, 2, 3, 4]);
    assert_eq!(changes[3].position, ChangePosition::new(Optime::new(1, 5), 3));
    assert_eq!(decoder.oldest_open(), None);
}

#[test]
fn a_prepared_transaction_takes_effect_at_its_commit() {
    for (outcome, expected) in [
        (doc! { "commitTransaction": 1, "commitTimestamp": ts(3) }, vec![1, 2]),
        (doc! { "abortTransaction": 1 }, vec![]),
    ] {
        let mut decoder = decoder(0);
        decoded_ids(&mut decoder, &part(2, 0, doc! { "applyOps": [insert(1)], "partialTxn": true }));
        decoded_ids(&mut decoder, &part(3, 2, doc! { "applyOps": [insert(2)], "prepare": true, "count": 2 }));
        assert_eq!(decoder.oldest_open(), Some(Optime::new(1, 2)));
        assert_eq!(decoded_ids(&mut decoder, &part(4, 3, outcome)), expected);
        assert_eq!(decoder.oldest_open(), None);
    }
}

#[test]
fn a_transaction_that_ends_after_the_start_is_whole_and_one_before_it_is_nothing() {
    let head = part(2, 0, doc! { "applyOps": [insert(1)], "partialTxn": true });
    let end = part(4, 2, doc! { "applyOps": [insert(2)] });
    let mut after = decoder(3);
    decoded_ids(&mut after, &head);
    assert_eq!(decoded_ids(&mut after, &end), [1, 2]);
    let mut before = decoder(4);
    decoded_ids(&mut before, &head);
    assert!(decoded_ids(&mut before, &end).is_empty());
    assert_eq!(before.oldest_open(), None);
}

#[test]
fn a_part_that_was_not_captured_is_noticed_unless_it_does_not_matter() {
    let middle = part(3, 2, doc! { "applyOps": [insert(2)], "partialTxn": true });
    for end in [part(4, 3, doc! { "applyOps": [insert(3)] }), part(4, 3, doc! { "commitTransaction": 1 })] {
        let mut strict = decoder(3);
        decoded_ids(&mut strict, &middle);
        let error = strict.decode(&raw(&end)).expect_err("its head is missing");
        assert!(matches!(error, OplogError::MissingTransactionPart { .. }), "{error}");
        let mut lenient = decoder(4);
        decoded_ids(&mut lenient, &middle);
        assert!(decoded_ids(&mut lenient, &end).is_empty());
    }
}

#[test]
fn an_entry_applied_in_part_is_yielded_whole_again() {
    let start = StartPoint { capture_from: Optime::new(1, 1), apply_after: Optime::new(1, 1) };
    let container = part(5, 0, doc! { "applyOps": [insert(1), insert(2)] });
    for (applied, expected) in [
        (ChangePosition::end_of(Optime::new(1, 4)), vec![1, 2]),
        (ChangePosition::new(Optime::new(1, 5), 0), vec![1, 2]),
        (ChangePosition::end_of(Optime::new(1, 5)), vec![]),
    ] {
        assert_eq!(decoded_ids(&mut EntryDecoder::resume(start, applied), &container), expected, "{applied:?}");
    }
}

#[test]
fn containers_of_every_kind_are_expanded() {
    let nested =
        doc! { "op": "c", "ns": "admin.$cmd", "o": { "applyOps": [insert(2), { "op": "n", "ns": "", "o": {} }] } };
    let client = doc! { "ts": ts(2), "op": "c", "ns": "admin.$cmd", "o": { "applyOps": [insert(1), nested, insert(3)], "$db": "admin" } };
    let changes = decoder(0).decode(&raw(&client)).expect("decodes");
    assert_eq!(ids(&changes), [1, 2, 3]);
    assert_eq!(changes[2].position.index, 3, "a no-op has a number too");

    // 8.0: prevOpTime of a vectored retryable insert is that of the session's write before, no part of this one.
    let mut vectored = part(4, 3, doc! { "applyOps": [insert(1), insert(2)] });
    vectored.insert("multiOpType", 1);
    assert_eq!(decoded_ids(&mut decoder(0), &vectored), [1, 2]);
}

#[test]
fn a_replacement_is_told_from_a_delta_by_its_id() {
    let update =
        |o: Document| decoder(0).decode(&raw(&entry(2, "u", "shop.orders", o))).expect("decodes").remove(0).kind;
    assert!(matches!(update(doc! { "_id": 1, "$set": { "a": 1 } }), ChangeKind::Replace { .. }));
    assert!(matches!(update(doc! { "_id": 1, "$v": 1 }), ChangeKind::Replace { .. }));
    assert!(matches!(update(doc! { "$v": 1, "$set": { "a": 1 } }), ChangeKind::Delta { .. }));
    assert!(matches!(update(doc! { "$v": 2, "diff": { "u": { "a": 1 } } }), ChangeKind::Delta { .. }));
    for refused in [doc! { "$set": { "a": 1 } }, doc! { "$v": 3, "diff": {} }, doc! {}] {
        let error = failure(&entry(2, "u", "shop.orders", refused));
        assert!(matches!(error, OplogError::Unsupported { .. }), "{error}");
    }
}

#[test]
fn errors_have_the_codes_that_the_manual_names() {
    let cases = [
        (doc! { "op": "i", "ns": "a.b", "o": {} }, "MF-ENTRY-1"),
        (doc! { "ts": ts(2), "op": "i", "ns": "shop.orders", "o": { "_id": 1 } }, "MF-ENTRY-1"),
        (entry(2, "i", "shop.orders", doc! { "a": 1 }), "MF-ENTRY-1"),
        (entry(2, "c", "shop.$cmd", doc! {}), "MF-ENTRY-1"),
        (entry(2, "zz", "shop.orders", doc! { "_id": 1 }), "MF-ENTRY-2"),
        (entry(2, "c", "shop.$cmd", doc! { "inventTheWheel": "orders" }), "MF-ENTRY-3"),
        (entry(2, "i", "shop.mongoferry.capped", doc! { "_id": 1 }), "MF-ENTRY-4"),
        (entry(2, "i", "shop.system.users", doc! { "_id": 1 }), "MF-ENTRY-4"),
        (entry(2, "c", "shop.$cmd", doc! { "create": "a", "encryptedFields": { "fields": [] } }), "MF-ENTRY-4"),
        (entry(2, "c", "shop.$cmd", doc! { "renameCollection": "shop.a", "to": "shop.system.users" }), "MF-ENTRY-4"),
        (entry(2, "c", "shop.$cmd", doc! { "emptycapped": "a" }), "MF-ENTRY-4"),
        (entry(2, "u", "admin.system.version", doc! { "_id": "featureCompatibilityVersion" }), "MF-ENTRY-5"),
        (part(4, 3, doc! { "applyOps": [] }), "MF-ENTRY-6"),
    ];
    for (entry, code) in cases {
        assert_eq!(failure(&entry).code(), code, "{entry}");
    }
}

#[test]
fn a_delta_of_the_feature_compatibility_version_is_noticed_by_its_key() {
    let mut delta = entry(2, "u", "admin.system.version", doc! { "$v": 2, "diff": { "u": { "version": "7.0" } } });
    delta.insert("o2", doc! { "_id": "featureCompatibilityVersion" });
    let raw = raw(&delta);
    assert_eq!(relevance(&OplogEntry::parse(&raw).expect("an envelope")), Relevance::Keep);
    assert!(matches!(failure(&delta), OplogError::FcvChanged { .. }));
    assert!(decoder(2).decode(&raw).expect("before the start").is_empty());
}

#[test]
fn what_is_not_ours_is_dropped() {
    for (op, ns) in
        [("i", "config.transactions"), ("d", "local.x"), ("i", "mongoferry.lanes"), ("u", "admin.system.users")]
    {
        let raw = raw(&entry(2, op, ns, doc! { "_id": 1, "$v": 9 }));
        assert_eq!(relevance(&OplogEntry::parse(&raw).expect("an envelope")), Relevance::Drop, "{ns}");
        assert!(decoder(0).decode(&raw).expect("nothing to apply").is_empty(), "{ns}");
    }
    for o in [
        doc! { "create": "system.profile", "capped": true },
        doc! { "create": "system.views" },
        doc! { "collMod": "a" },
    ] {
        assert!(decoder(0).decode(&raw(&entry(2, "c", "shop.$cmd", o))).expect("nothing to apply").is_empty());
    }
}

#[test]
fn a_created_collection_keeps_its_options_and_loses_what_no_client_may_set() {
    let o = doc! { "create": "a", "validator": { "x": 1 }, "temp": true, "capped": false, "collation": { "locale": "simple" },
    "idIndex": { "v": 2, "key": { "_id": 1 }, "name": "_id_", "ns": "shop.a" } };
    let change = decoder(0).decode(&raw(&entry(2, "c", "shop.$cmd", o))).expect("decodes").remove(0);
    let ChangeKind::Ddl(Ddl::Create { namespace, options, id_index, .. }) = change.kind else { panic!("{change:?}") };
    assert_eq!(namespace.to_string(), "shop.a");
    assert_eq!(options, raw(&doc! { "validator": { "x": 1 }, "capped": false, "collation": { "locale": "simple" } }));
    assert_eq!(id_index, Some(raw(&doc! { "v": 2, "key": { "_id": 1 }, "name": "_id_" })));
}

#[test]
fn the_order_of_the_envelope_does_not_matter() {
    let document = entry(2, "u", "shop.orders", doc! { "_id": 1, "a": 2 });
    let reversed: Document = document.clone().into_iter().collect::<Vec<_>>().into_iter().rev().collect();
    let decode = |document: &Document| decoder(0).decode(&raw(document)).expect("decodes");
    assert_eq!(decode(&document), decode(&reversed));
}

#[test]
fn a_no_op_changes_nothing_whatever_it_carries() {
    let ids_of = |op| decoded_ids(&mut decoder(1), &entry(5, op, "shop.orders", doc! { "_id": 3 }));
    assert_eq!(ids_of("i"), [3]);
    assert!(ids_of("n").is_empty());
}
