use mongoferry_protocol::Phase;
use mongoferry_tests::{Clusters, Migration, binary};

/// GIVEN a token in a file WHEN the API is called THEN only who bears it is answered, the command with the same file too; and
/// the token is in no argument and in no log.
#[tokio::test(flavor = "multi_thread")]
async fn the_token_may_stand_in_a_file() {
    let clusters = Clusters::start().await;
    let state = tempfile::tempdir().expect("a directory");
    let file = state.path().join("token");
    std::fs::write(&file, "a-s3cret-token\n").expect("is written");
    let option = format!("--api-token-file={}", file.display());
    let mut migration = Migration::between(&clusters, state.path()).argument(&option).start();
    migration.wait_for_api().await;
    assert_eq!(migration.get("migration").await["error"], "MF-API-4");
    let refused = migration.command(&["status"]).await;
    assert!(!refused.status.success() && String::from_utf8_lossy(&refused.stderr).contains("MF-API-4"));
    // The launcher bears it as well: the migration goes on by itself.
    loop {
        let status = migration.command(&["status", "--json", &option]).await;
        if String::from_utf8_lossy(&status.stdout).contains(&format!("\"phase\":\"{}\"", Phase::Ready)) {
            break;
        }
    }
    for process in mongoferry_tests::children_of(migration.pid()) {
        let arguments = std::fs::read_to_string(format!("/proc/{process}/cmdline")).expect("is alive");
        assert!(!arguments.contains("s3cret"), "{arguments}");
    }
    let cut = migration.command(&["cutover", "--yes", &option]).await;
    assert!(cut.status.success(), "{}", String::from_utf8_lossy(&cut.stderr));
    migration.end_committed().await;
    for log in std::fs::read_dir(state.path().join("state/logs")).expect("is there").flatten() {
        assert!(!std::fs::read_to_string(log.path()).expect("is text").contains("s3cret"), "{}", log.path().display());
    }
}

/// GIVEN an address that others reach WHEN there is no token THEN the API does not listen there, and says what to do; WHEN there is one
/// THEN it does, for who bears it.
#[tokio::test(flavor = "multi_thread")]
async fn elsewhere_than_on_loopback_it_listens_only_with_a_token() {
    let clusters = Clusters::start().await;
    let state = tempfile::tempdir().expect("a directory");
    let migrate = |token: &str| {
        let mut command = tokio::process::Command::new(binary("mongoferry"));
        command
            .args(["migrate", "--listen=0.0.0.0:0", "--cutover=auto", "--state-dir"])
            .arg(state.path().join("state"));
        command
            .env("MONGOFERRY_SOURCE", clusters.source.uri())
            .env("MONGOFERRY_DESTINATION", clusters.destination.uri());
        command.env("MONGOFERRY_API_TOKEN", token).stdin(std::process::Stdio::null()).kill_on_drop(true);
        command
    };
    let refused = migrate("").env_remove("MONGOFERRY_API_TOKEN").output().await.expect("mongoferry starts");
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(refused.status.code() == Some(3) && said.contains("MF-COORD-4"), "{said}");
    assert!(said.contains("MONGOFERRY_API_TOKEN"), "{said}");
    let served = migrate("a-s3cret-token").output().await.expect("mongoferry starts");
    assert!(served.status.success(), "{}", String::from_utf8_lossy(&served.stderr));
}
