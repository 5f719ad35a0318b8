//! Ways that lead nowhere.

use mongoferry_testbed::ReplicaSet;

use crate::outcome::{Outcome, only_error};

#[tokio::test(flavor = "multi_thread")]
async fn malformed_connection_strings_and_options_are_usage_errors() {
    let fine = "mongodb://127.0.0.1:1/?replicaSet=rs";
    for (source, destination) in [
        ("127.0.0.1:27017", fine),
        (fine, "mongodb://user:s3cr@t@host:99999999"),
        (fine, "mongodb://127.0.0.1:1/?replicaSet=rs&directConnection=perhaps"),
        ("", fine),
    ] {
        let outcome = Outcome::of(source, destination, &[]).await;
        assert_eq!(outcome.code, 2, "{source} {destination}: {}", outcome.stderr);
        assert!(outcome.stdout.is_empty(), "{}", outcome.stdout);
        assert!(!outcome.stderr.is_empty() && !outcome.stderr.contains("s3cr"), "{}", outcome.stderr);
    }
    assert_eq!(Outcome::of(fine, fine, &["--format", "xml"]).await.code, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreachable_host_and_one_without_a_name_are_told_apart() {
    let destination = ReplicaSet::single().await.expect("a replica set");
    // Port 1 is closed; `.invalid` never resolves.
    for (source, code) in [("mongodb://127.0.0.1:1", "MF-V02"), ("mongodb://nowhere.invalid", "MF-V01")] {
        let (exit, report) = Outcome::json(source, &destination.uri()).await;
        assert_eq!((exit, only_error(&report).code.as_str()), (3, code), "{report:#?}");
        assert!(report.source.is_none() && report.destination.is_some());
    }
    let outcome = Outcome::of("mongodb://127.0.0.1:1", &destination.uri(), &[]).await;
    assert!(outcome.stdout.contains("MF-V02  error"), "{}", outcome.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn something_that_is_no_mongod_is_told() {
    let destination = ReplicaSet::single().await.expect("a replica set");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let uri = format!("mongodb://{}/?serverSelectionTimeoutMS=2000", listener.local_addr().expect("bound"));
    let (code, report) = Outcome::json(&uri, &destination.uri()).await;
    let error = only_error(&report);
    assert_eq!((code, error.code.as_str()), (3, "MF-V02"));
    assert!(error.found.contains("says nothing"), "{error:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_checks_are_listed() {
    let outcome = Outcome::of("", "", &["--list-checks"]).await;
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    let lines: Vec<&str> = outcome.stdout.lines().collect();
    assert_eq!(lines[..2], ["| code | at worst | check |", "|---|---|---|"]);
    let listed: Vec<String> = lines[2..].iter().map(|line| line[2..8].to_owned()).collect();
    let known: Vec<&str> = mongoferry_validator::CHECKS.iter().map(|(code, _, _)| *code).collect();
    assert_eq!(listed, known);
    assert_eq!(known.len(), 26);
}
