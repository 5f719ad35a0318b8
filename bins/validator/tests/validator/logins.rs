//! Ways to log in.

use bson::doc;
use mongoferry_testbed::ReplicaSet;

use crate::{
    authority::Authority,
    outcome::{Outcome, only_error, passed, troubles},
};

#[tokio::test(flavor = "multi_thread")]
async fn both_scram_mechanisms_and_what_is_wrong_with_a_login() {
    let (source, destination) =
        tokio::try_join!(ReplicaSet::builder().auth().start(), ReplicaSet::single()).expect("two replica sets");
    let roles = ["readAnyDatabase", "backup", "clusterMonitor"];
    for (name, mechanism) in [("one", "SCRAM-SHA-1"), ("two", "SCRAM-SHA-256")] {
        let user = doc! {"pwd": "s3cret", "mechanisms": [mechanism], "roles": roles.to_vec()};
        source.create_user(name, user).await.expect("created");
        for uri in
            [source.uri_for(name, "s3cret"), format!("{}&authMechanism={mechanism}", source.uri_for(name, "s3cret"))]
        {
            let (code, report) = Outcome::json(&uri, &destination.uri()).await;
            assert_eq!(code, 0, "{mechanism} {:#?}", troubles(&report));
            assert!(passed(&report, "MF-V05").contains(&format!("{name}@admin")), "{report:#?}");
        }
    }
    for (uri, words) in [
        (format!("{}&authMechanism=SCRAM-SHA-256", source.uri_for("one", "s3cret")), "SCRAM-SHA-1 only"),
        (source.uri_for("one", "wrong"), "correct the password"),
        (source.uri_for("nobody", "s3cret"), "No user \"nobody\""),
        (source.uri_for("one", "s3cret").replace("authSource=admin", "authSource=shop"), "in database \"shop\""),
    ] {
        let (code, report) = Outcome::json(&uri, &destination.uri()).await;
        let error = only_error(&report);
        assert_eq!((code, error.code.as_str()), (3, "MF-V05"));
        assert!(error.remedy.contains(words), "{error:#?}");
    }
    // Without a login nothing else is complained about.
    let (_, report) = Outcome::json(&source.uri_without_credentials(), &destination.uri()).await;
    let error = only_error(&report);
    assert!(error.code == "MF-V05" && error.remedy.contains("user:password@"), "{error:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_a_login_too() {
    let authority = Authority::new();
    let node = authority.issue("node", "IP:127.0.0.1", 10);
    let ferry = authority.issue("ferry", "DNS:ferry", 10);
    let source = ReplicaSet::builder()
        .auth()
        .argument("--tlsMode")
        .argument("preferTLS")
        .argument("--tlsCertificateKeyFile")
        .argument(node.display().to_string())
        .argument("--tlsCAFile")
        .argument(authority.ca_file())
        .parameter("authenticationMechanisms=SCRAM-SHA-1,SCRAM-SHA-256,MONGODB-X509");
    let (source, destination) = tokio::try_join!(source.start(), ReplicaSet::single()).expect("two replica sets");
    let address = source.uri_without_credentials();
    let uri = format!(
        "{address}&tls=true&tlsCAFile={}&tlsCertificateKeyFile={}&authMechanism=MONGODB-X509",
        authority.ca_file(),
        ferry.display()
    );
    let (code, report) = Outcome::json(&uri, &destination.uri()).await;
    let error = only_error(&report);
    assert_eq!((code, error.code.as_str()), (3, "MF-V05"));
    assert!(error.remedy.contains("$external"), "{error:#?}");

    let external = source.client().await.expect("a client").database("$external");
    let roles: Vec<_> =
        ["readAnyDatabase", "clusterMonitor"].iter().map(|role| doc! {"role": role, "db": "admin"}).collect();
    let create = doc! {"createUser": "CN=ferry,OU=ferry,O=apps", "roles": roles};
    external.run_command(create).await.expect("created");
    let (code, report) = Outcome::json(&uri, &destination.uri()).await;
    assert_eq!(code, 0, "{:#?}", troubles(&report));
    assert!(passed(&report, "MF-V05").contains("CN=ferry,OU=ferry,O=apps@$external"), "{report:#?}");
    // What it lacks is to be granted where it lives.
    let lost = troubles(&report).into_iter().find(|finding| finding.check.contains("appendOplogNote"));
    assert!(lost.expect("a warning").remedy.contains("getSiblingDB(\"$external\")"), "{report:#?}");
}
