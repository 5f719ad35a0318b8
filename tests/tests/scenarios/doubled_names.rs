//! Documents with two fields of one name: a source before 5.0 changes the first, and the secondaries of a later destination would
//! change both.

use std::time::Duration;

use bson::rawdoc;
use mongoferry_protocol::Phase;
use mongoferry_testbed::{MongodVersion, ReplicaSet, assert_equal, differences};
use mongoferry_tests::{
    Clusters, Migration,
    odd_values::{int, raw},
    raw_writes::Writes,
};

const MEMBERS: usize = 3;
const CATCHING_UP: Duration = Duration::from_secs(30);

/// GIVEN documents of two fields with one name, some copied, some inserted later WHEN the source changes such fields, before and
/// after everything was started again THEN every member of the destination holds what the source does.
#[tokio::test(flavor = "multi_thread")]
async fn two_fields_of_one_name_arrive_on_every_member() {
    let (source, destination) = tokio::join!(
        ReplicaSet::builder().version(MongodVersion::V4_4_2).start(),
        ReplicaSet::builder().version(MongodVersion::V6_0_5).members(MEMBERS).start(),
    );
    let clusters = Clusters { source: source.expect("starts"), destination: destination.expect("starts") };
    let user = clusters.source_client().await;
    let to = |collection: &str| Writes::to(&user, &format!("shop.{collection}"));
    to("copied").insert(&documents()).await;
    to("captured").insert(&[raw(&[int("_id", 0), int("a", 1)])]).await;
    let state = tempfile::tempdir().expect("a directory");
    let mut migration = Migration::between(&clusters, state.path()).start();
    migration.wait_for_phase(Phase::Ready).await;
    to("captured").insert(&documents()).await;
    for collection in ["copied", "captured"] {
        change(&to(collection), 0).await;
    }
    migration.until_in_step(&clusters).await;
    migration = migration.stop_and_start_again().await;
    for collection in ["copied", "captured"] {
        change(&to(collection), 10).await;
    }
    migration.until_in_step(&clusters).await;
    migration.post("commit").await;
    migration.end_committed().await;

    for member in 0..MEMBERS {
        let member = clusters.destination.client_of_member(member).await.expect("connects");
        let equal = async {
            while !differences(&user, &member).await.expect("both are read").is_empty() {
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        };
        if tokio::time::timeout(CATCHING_UP, equal).await.is_err() {
            assert_equal(&user, &member).await;
        }
    }
}

fn documents() -> Vec<bson::RawDocumentBuf> {
    (1..20).map(|id| raw(&[int("_id", id), int("a", 1), int("b", 2), int("a", 3)])).collect()
}

/// Five documents, from the one behind `behind` on.
async fn change(collection: &Writes, behind: i32) {
    let updates = [
        rawdoc! { "$set": { "a": 7 } },
        rawdoc! { "$unset": { "a": true } },
        rawdoc! { "$set": { "a": 7, "new": 1 }, "$unset": { "b": true } },
        rawdoc! { "$rename": { "a": "c" } },
        rawdoc! { "$inc": { "a": 1 } },
    ];
    for (id, update) in (behind + 1..).zip(updates) {
        collection.update(&rawdoc! { "_id": id }, update).await;
    }
}
