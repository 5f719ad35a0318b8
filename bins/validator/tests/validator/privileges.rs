//! Logins and roles.

use bson::{Document, doc};
use mongoferry_testbed::ReplicaSet;

use crate::outcome::{Outcome, only_error, troubles, troubles_of};

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
    assert!(
        error.found.contains("collMod on mongoferry.*, shop.*") && error.remedy.contains("dbAdminAnyDatabase"),
        "{error:#?}"
    );

    source.create_user("blind", doc! {"pwd": "bl1nd", "roles": ["readAnyDatabase"]}).await.expect("created");
    let (code, report) = Outcome::json(&source.uri_for("blind", "bl1nd"), &writer).await;
    assert_eq!(code, 3);
    let codes: Vec<&str> = report.errors().map(|error| error.code.as_str()).collect();
    assert!(codes.contains(&"MF-V06") && codes.contains(&"MF-V11"), "{report:#?}");
}

/// The `createRole` command that a remedy prints.
fn create_role(remedy: &str) -> Document {
    let (_, behind) = remedy.split_once("createRole(").expect("a createRole command");
    let (role, _) = behind.split_once("); ").expect("its end");
    let role: serde_json::Value = serde_json::from_str(role).expect("pasteable");
    let mut role = bson::serialize_to_document(&role).expect("a document");
    let name = role.remove("role").expect("a name");
    let mut command = doc! {"createRole": name};
    command.extend(role);
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_as_usually_prescribed_pass_and_name_what_is_lost() {
    let (source, destination) =
        tokio::try_join!(ReplicaSet::builder().auth().start(), ReplicaSet::single()).expect("two replica sets");
    let client = source.client().await.expect("a client");
    client.database("shop").collection("orders").insert_one(doc! {"_id": 1}).await.expect("inserted");
    for (name, roles, lost) in [
        ("full", &["backup", "readAnyDatabase", "clusterMonitor"][..], &[][..]),
        ("push", &["backup", "readAnyDatabase"], &["replSetGetStatus"]),
        ("reader", &["readAnyDatabase", "clusterMonitor"], &["appendOplogNote", "setUserWriteBlockMode"]),
    ] {
        source.create_user(name, doc! {"pwd": "s3cret", "roles": roles.to_vec()}).await.expect("created");
        let (code, report) = Outcome::json(&source.uri_for(name, "s3cret"), &destination.uri()).await;
        assert_eq!(code, 0, "{:#?}", troubles(&report));
        let warnings = troubles_of(&report, "MF-V06");
        let named: Vec<&str> = warnings.iter().filter_map(|warning| warning.check.split_whitespace().nth(2)).collect();
        assert_eq!(named, lost, "{warnings:#?}");
        assert!(warnings.iter().all(|warning| warning.found.contains("lost without it")), "{warnings:#?}");
        let counted = report.inventory.as_ref().expect("taken").not_copied.users.is_some();
        assert_eq!(counted, roles.contains(&"backup"));
        // The destination has no users at all.
        let warnings = troubles(&report).iter().filter(|finding| finding.code == "MF-V20").count();
        assert_eq!(warnings, usize::from(counted));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_printed_role_is_enough() {
    let (source, destination) =
        tokio::try_join!(ReplicaSet::builder().auth().start(), ReplicaSet::builder().auth().start())
            .expect("two replica sets");
    let client = source.client().await.expect("a client");
    client.database("shop").collection("orders").insert_one(doc! {"_id": 1}).await.expect("inserted");
    // Users that see the catalog, and nothing more.
    source.create_user("reader", doc! {"pwd": "s3cret", "roles": ["readAnyDatabase"]}).await.expect("created");
    destination.create_user("writer", doc! {"pwd": "s3cret", "roles": ["readAnyDatabase"]}).await.expect("created");
    let (reader, writer) = (source.uri_for("reader", "s3cret"), destination.uri_for("writer", "s3cret"));
    let (code, report) = Outcome::json(&reader, &writer).await;
    assert_eq!(code, 3);
    let errors: Vec<_> = report.errors().filter(|error| error.code == "MF-V06").collect();
    assert_eq!(errors.len(), 2, "{report:#?}");
    assert!(errors[0].found.contains("useUUID on the cluster; find on local.oplog.rs"), "{errors:#?}");
    assert!(errors[1].found.contains("insert on mongoferry.*, shop.*"), "{errors:#?}");
    for (set, error, role, user) in [
        (&source, errors[0], "mongoferrySource", "reader"),
        (&destination, errors[1], "mongoferryDestination", "writer"),
    ] {
        let admin = set.client().await.expect("a client").database("admin");
        admin.run_command(create_role(&error.remedy)).await.expect("created");
        admin.run_command(doc! {"grantRolesToUser": user, "roles": [role]}).await.expect("granted");
    }
    let (code, report) = Outcome::json(&reader, &writer).await;
    assert_eq!(code, 0, "{:#?}", troubles(&report));
}
