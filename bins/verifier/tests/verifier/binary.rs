//! The built binary, driven by records and work items on a real bus.

use std::{
    process::{Child, Command, Stdio},
    time::Duration,
};

use bson::doc;
use mongoferry_bus::{Bus, BusOptions, key};
use mongoferry_protocol::{
    CutoverRecord, DifferenceKind, MigrationId, Optime, Phase, PhaseRecord, Verification, VerificationState, WorkItem,
};
use mongoferry_testbed::NatsServer;

use crate::pair::Pair;

struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill().and_then(|()| self.0.wait());
    }
}

fn start_verifier(pair: &Pair, nats: &NatsServer, id: &MigrationId) -> Process {
    let child = Command::new(env!("CARGO_BIN_EXE_mongoferry-verifier"))
        .env("MONGOFERRY_SOURCE", pair.source_set.uri())
        .env("MONGOFERRY_DESTINATION", pair.destination_set.uri())
        .env("MONGOFERRY_NATS", nats.url())
        .env("MONGOFERRY_ID", id.as_str())
        .stdin(Stdio::null())
        .spawn();
    Process(child.expect("the verifier starts"))
}

fn in_phase(phase: Phase, number: u32, silent_from: Optime) -> PhaseRecord {
    let cutover = CutoverRecord {
        number,
        requested_at_ms: 1,
        silent_from: Some(silent_from),
        drained_at_ms: None,
        committed_at_ms: None,
        accept_missing_indexes: false,
        accept_source_writes: false,
        block_writes: false,
        blocked_at_ms: None,
        predicted_ms: None,
        confirmed_from: None,
        expiring: Vec::new(),
    };
    PhaseRecord { phase, cutover: Some(cutover), ..PhaseRecord::created() }
}

async fn verdict(bus: &Bus, cutover: u32, metadata: bool) -> Verification {
    let finished = async {
        loop {
            let record = bus.records().get(&key::verification(cutover, metadata)).await.expect("the bus answers");
            match record {
                Some(record) if record.value.state != VerificationState::Running => return record.value,
                _ => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(60), finished).await.expect("a verdict within a minute")
}

#[tokio::test(flavor = "multi_thread")]
async fn items_are_verified_in_their_phases() {
    let pair = Pair::start().await;
    let nats = NatsServer::builder().start().await.expect("a bus");
    let id: MigrationId = "verify".parse().expect("valid");
    let options = BusOptions { url: nats.url(), user: None, password: None, credentials_file: None, replicas: 1 };
    let bus = Bus::connect(&options, &id).await.expect("the bus answers");
    for client in pair.both() {
        for name in ["a", "b"] {
            let collection = client.database("shop").collection(name);
            collection.insert_many((0..100).map(|n| doc! {"_id": n})).await.expect("inserted");
        }
        // The reserved database is no part of the comparison.
        client.database("mongoferry").collection("lanes").insert_one(doc! {"of": "one"}).await.expect("inserted");
    }
    let silent_from = mongoferry_mongo::last_optimes(&pair.source_cluster).await.expect("optimes").last;
    let _verifier = start_verifier(&pair, &nats, &id);

    // GIVEN the item before its phase, WHEN the phase comes, THEN the documents are equal
    bus.records().put(&key::phase(), &in_phase(Phase::Draining, 1, silent_from)).await.expect("stored");
    bus.queue_work(&WorkItem::Verify { cutover: 1, metadata: false }).await.expect("queued");
    bus.records().put(&key::phase(), &in_phase(Phase::Verifying, 1, silent_from)).await.expect("stored");
    let equal = verdict(&bus, 1, false).await;
    assert_eq!(equal.state, VerificationState::Equal, "{equal:?}");
    assert_eq!((equal.collections, equal.collections_total, equal.documents), (2, 2, 200));

    // AND a second attempt sees what has changed since
    pair.destination
        .database("shop")
        .collection::<bson::Document>("b")
        .delete_one(doc! {"_id": 5})
        .await
        .expect("deleted");
    pair.destination.database("other").create_collection("extra").await.expect("created");
    bus.records().put(&key::phase(), &in_phase(Phase::Verifying, 2, silent_from)).await.expect("stored");
    bus.queue_work(&WorkItem::Verify { cutover: 2, metadata: false }).await.expect("queued");
    let different = verdict(&bus, 2, false).await;
    assert_eq!((different.state, different.difference_count), (VerificationState::Different, 2), "{different:?}");
    assert_eq!(different.differences[0].kind, DifferenceKind::ExtraCollection);
    assert_eq!(different.differences[1].kind, DifferenceKind::MissingDocument);
    assert_eq!(different.differences[1].item.as_deref(), Some("5"));

    // AND metadata in its own phase
    bus.records().put(&key::phase(), &in_phase(Phase::Finalizing, 2, silent_from)).await.expect("stored");
    bus.queue_work(&WorkItem::Verify { cutover: 2, metadata: true }).await.expect("queued");
    let metadata = verdict(&bus, 2, true).await;
    assert_eq!((metadata.state, metadata.difference_count), (VerificationState::Different, 1), "{metadata:?}");
}
