use std::process::Command;

use mongoferry_protocol::Phase;
use mongoferry_tests::{Clusters, Migration, Terminal, binary};

const QUESTION: &str = "Have the writes to the source stopped? [y/N]";

fn at_a_terminal(migration: &Migration, arguments: &[&str]) -> Terminal {
    let mut command = Command::new(binary("mongoferry"));
    command.args(arguments).args(["--api", migration.api_address()]);
    Terminal::run(command)
}

/// The command before its question, once it sees that users have stopped: what they wrote last is counted for a moment yet.
async fn asked_while_silent(migration: &Migration) -> Terminal {
    loop {
        let mut cutover = at_a_terminal(migration, &["cutover"]);
        cutover.wait_for(QUESTION).await;
        if cutover.screen().contains("no change was seen in the last 3 s, and nothing is left to apply") {
            return cutover;
        }
        cutover.say("n");
        assert_eq!(cutover.end().await, Some(0));
    }
}

/// GIVEN a person at a terminal WHEN he cuts over THEN he is shown what is left and whether the source is silent, and asked; without
/// a yes nothing is done. WHEN nobody can be asked THEN cutover and cancel are refused, also where only the answer's way is open.
/// `status --watch` goes on in the same place until the end.
#[tokio::test(flavor = "multi_thread")]
async fn a_cutover_is_asked_about_and_watched() {
    let clusters = Clusters::seeded(1).await;
    let state = tempfile::tempdir().expect("a directory");
    let mut migration = Migration::between(&clusters, state.path()).start();
    migration.wait_for_phase(Phase::Ready).await;

    for command in ["cutover", "cancel"] {
        let refused = migration.command(&[command]).await;
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(refused.status.code() == Some(2) && said.contains("MF-ARGS-9") && said.contains("--yes"), "{said}");
    }
    let quiet = format!("exec {} cancel --api {} 2>/dev/null", binary("mongoferry").display(), migration.api_address());
    let mut shell = Command::new("sh");
    shell.args(["-c", &quiet]);
    assert_eq!(Terminal::run(shell).end().await, Some(2));

    let workload = clusters.workload(200).await;
    let mut cutover = at_a_terminal(&migration, &["cutover"]);
    cutover.wait_for(QUESTION).await;
    let screen = cutover.screen();
    for part in ["to apply ", "to compare ", "SOMETHING MAY STILL WRITE: "] {
        assert!(screen.contains(part), "{part} is not in:\n{screen}");
    }
    cutover.say("n");
    cutover.wait_for("nothing was done").await;
    assert_eq!(cutover.end().await, Some(0));
    workload.stop().await.expect("the workload met no error");

    let in_step = |status: &mongoferry_protocol::MigrationStatus| status.phase == Phase::Ready && status.gap_closed;
    migration.wait_for("ready and idle", in_step).await;
    let mut watching = at_a_terminal(&migration, &["status", "--watch"]);
    watching.wait_for("next: stop the writes to the source").await;
    assert!(watching.screen().contains("\x1b[2J\x1b[H"), "{}", watching.screen());
    let mut cutover = asked_while_silent(&migration).await;
    cutover.say("y");
    cutover.wait_for("committed: the destination may be written to").await;
    assert_eq!(cutover.end().await, Some(0));
    watching.wait_for("next: point the applications at the destination").await;
    assert_eq!(watching.end().await, Some(0));
    migration.end_committed().await;
    clusters.assert_equal().await;
}
