//! Logins and roles.

use bson::doc;
use mongoferry_testbed::ReplicaSet;

use crate::outcome::{Outcome, only_error, troubles};

#[tokio::test(flavor = "multi_thread")]
async fn logins_and_roles_are_checked_on_both_sides() {
    let (source, destination) =
        tokio::try_join!(ReplicaSet::builder().auth().start(), ReplicaSet::builder().auth().start())
            .expect("two replica sets");
    let client = source.client().await.expect("a client");
    client.database("shop").collection("orders").insert_one(doc! {"_id": 1}).await.expect("inserted");

    // Root may everything.
    let (code, report) = Outcome::json(&source.uri(), &destination.uri()).await;
    assert_eq!(code, 0, "{:#?}", troubles(&report));

    // The roles that the README names are enough.
    let reader = doc! {"pwd": "r3ader", "roles": ["readAnyDatabase", "clusterMonitor"]};
    source.create_user("reader", reader).await.expect("created");
    let roles = ["readWriteAnyDatabase", "dbAdminAnyDatabase", "clusterMonitor"];
    destination.create_user("writer", doc! {"pwd": "wr1ter", "roles": roles.to_vec()}).await.expect("created");
    let (reader, writer) = (source.uri_for("reader", "r3ader"), destination.uri_for("writer", "wr1ter"));
    let (code, report) = Outcome::json(&reader, &writer).await;
    assert_eq!(code, 0, "{:#?}", troubles(&report));

    // A wrong password, and none.
    let wrong = source.uri_for("reader", "wrong");
    for uri in [wrong, source.uri_without_credentials()] {
        let outcome = Outcome::of(&uri, &writer, &["--format", "json"]).await;
        let report = serde_json::from_str(&outcome.stdout).expect("a report");
        assert_eq!(outcome.code, 3);
        let codes: Vec<&str> =
            mongoferry_protocol::ValidationReport::errors(&report).map(|e| e.code.as_str()).collect();
        assert!(codes.contains(&"MF-V05"), "{report:#?}");
        assert!(!outcome.stdout.contains("wr1ter") && !outcome.stderr.contains("wr1ter"));
    }

    // Too few roles.
    destination
        .create_user("half", doc! {"pwd": "h4lf", "roles": ["readWriteAnyDatabase", "clusterMonitor"]})
        .await
        .expect("created");
    let (code, report) = Outcome::json(&reader, &destination.uri_for("half", "h4lf")).await;
    let error = only_error(&report);
    assert_eq!((code, error.code.as_str()), (3, "MF-V06"));
    assert!(error.found.contains("collMod") && error.remedy.contains("dbAdminAnyDatabase"), "{error:#?}");

    source.create_user("blind", doc! {"pwd": "bl1nd", "roles": ["readAnyDatabase"]}).await.expect("created");
    let (code, report) = Outcome::json(&source.uri_for("blind", "bl1nd"), &writer).await;
    assert_eq!(code, 3);
    let codes: Vec<&str> = report.errors().map(|error| error.code.as_str()).collect();
    assert!(codes.contains(&"MF-V06") && codes.contains(&"MF-V11"), "{report:#?}");
}
