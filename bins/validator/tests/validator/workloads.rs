//! Applications that already write on the destination, and a destination that lets nobody write.

use bson::doc;
use mongoferry_testbed::ReplicaSet;

use crate::outcome::{Outcome, only_error, passed, troubles, troubles_of};

#[tokio::test(flavor = "multi_thread")]
async fn writes_of_others_are_noticed() {
    let (source, destination) = tokio::try_join!(ReplicaSet::single(), ReplicaSet::single()).expect("two replica sets");
    let (_, report) = Outcome::json(&source.uri(), &destination.uri()).await;
    assert!(passed(&report, "MF-V23").contains("no writes"), "{report:#?}");

    let live = destination.client().await.expect("a client").database("live");
    live.collection("visits").insert_one(doc! {"_id": 1}).await.expect("inserted");
    let (code, report) = Outcome::json(&source.uri(), &destination.uri()).await;
    assert_eq!(code, 0, "{:#?}", troubles(&report));
    let warnings = troubles_of(&report, "MF-V23");
    assert!(warnings.len() == 1 && warnings[0].found.contains("live.visits"), "{warnings:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_block_needs_a_user_that_may_pass_it() {
    let (source, destination) =
        tokio::try_join!(ReplicaSet::single(), ReplicaSet::builder().auth().start()).expect("two replica sets");
    let roles = ["readWriteAnyDatabase", "dbAdminAnyDatabase", "clusterMonitor"];
    destination.create_user("writer", doc! {"pwd": "wr1ter", "roles": roles.to_vec()}).await.expect("created");
    let admin = destination.client().await.expect("a client").database("admin");
    admin.run_command(doc! {"setUserWriteBlockMode": 1, "global": true}).await.expect("blocked");
    let (code, report) = Outcome::json(&source.uri(), &destination.uri_for("writer", "wr1ter")).await;
    let error = only_error(&report);
    assert_eq!((code, error.code.as_str()), (3, "MF-V06"));
    assert!(error.remedy.contains("setUserWriteBlockMode") && error.remedy.contains("restore"), "{error:#?}");
    // Root may write all the same.
    let (code, report) = Outcome::json(&source.uri(), &destination.uri()).await;
    assert_eq!(code, 0, "{:#?}", troubles(&report));
}
