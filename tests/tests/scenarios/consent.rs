use std::{path::Path, process::Command};

use mongoferry_tests::{Clusters, Terminal, binary};

fn migrate(clusters: &Clusters, state_dir: &Path, options: &[&str]) -> Terminal {
    let mut command = Command::new(binary("mongoferry"));
    command
        .args(["migrate", "--listen", "127.0.0.1:0", "--state-dir"])
        .arg(state_dir)
        .args(options)
        .env("MONGOFERRY_SOURCE", clusters.source.uri())
        .env("MONGOFERRY_DESTINATION", clusters.destination.uri());
    Terminal::run(command)
}

const QUESTION: &str = "Begin this migration? [y/N]";

/// GIVEN a person at a terminal WHEN a migration begins THEN it is shown and asked about, and without a yes nothing is
/// written; WHEN it goes on later THEN nothing is asked; WHEN consent was given beforehand THEN neither.
#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_asked_once_before_anything_is_written() {
    let clusters = Clusters::seeded(1).await;
    let scratch = tempfile::tempdir().expect("a directory");
    let state = scratch.path().join("state");

    let mut terminal = migrate(&clusters, &state, &[]);
    terminal.wait_for(QUESTION).await;
    let screen = terminal.screen();
    let port = |set: &mongoferry_testbed::ReplicaSet| format!("127.0.0.1:{}", set.member_port(0));
    let version = clusters.source.version().to_string();
    for part in [&port(&clusters.source), &port(&clusters.destination), &version, "rs, version", "to drop      nothing"]
    {
        assert!(screen.contains(part), "{part} is not in:\n{screen}");
    }
    terminal.say("n");
    assert_eq!(terminal.end().await, Some(130));
    let names = clusters.destination_client().await.list_database_names().await.expect("answers");
    assert!(!names.contains(&"mongoferry".to_owned()) && !names.contains(&"shop".to_owned()), "{names:?}");

    let mut terminal = migrate(&clusters, &state, &[]);
    terminal.wait_for(QUESTION).await;
    terminal.say("y");
    terminal.wait_for("ready: the destination follows the source").await;
    terminal.stop();
    assert_eq!(terminal.end().await, Some(130));

    let mut terminal = migrate(&clusters, &state, &[]);
    terminal.wait_for("ready: the destination follows the source").await;
    assert!(!terminal.screen().contains("[y/N]"), "{}", terminal.screen());
    let api = address(&terminal.screen());
    let cancel = Command::new(binary("mongoferry")).args(["cancel", "--yes", "--api", &api]).status();
    assert!(cancel.expect("mongoferry starts").success());
    terminal.end().await;

    // What the cancelled one left is in the way of the next.
    let options = ["--yes", "--cutover=auto", "--drop", "--confirm-destination=rs"];
    let mut terminal = migrate(&clusters, &scratch.path().join("next"), &options);
    terminal.wait_for("TO BE DROPPED from rs").await;
    terminal.wait_for("**Equal**").await;
    assert!(!terminal.screen().contains("[y/N]"), "{}", terminal.screen());
    assert_eq!(terminal.end().await, Some(0));
    clusters.assert_equal().await;
}

/// As the screen names it for the cutover.
fn address(screen: &str) -> String {
    let (_, behind) = screen.split_once("cutover --api ").expect("is shown");
    behind.split_whitespace().next().expect("an address").to_owned()
}
