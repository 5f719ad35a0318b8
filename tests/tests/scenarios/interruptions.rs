use std::{
    fs::OpenOptions,
    io::Read,
    os::unix::process::ExitStatusExt,
    process::{Command, Stdio},
};

use mongoferry_protocol::Phase;
use mongoferry_tests::{Clusters, Migration, kill};

/// Kills the process of `role` once `reached` holds, lets the migration end, and compares.
async fn survives_the_death_of(role: &str, phase: Phase) {
    let clusters = Clusters::seeded(60).await;
    let workload = clusters.workload(500).await;
    let state = tempfile::tempdir().expect("a directory");
    let mut migration = Migration::between(&clusters, state.path()).start();
    migration
        .wait_for("work under way", |status| status.phase == phase && (phase != Phase::Copying || status.bytes > 0))
        .await;
    let victim = migration.process(role).await;
    kill(victim.pid);
    migration
        .wait_for("another process in its place", |status| {
            let successor = |process: &&mongoferry_protocol::CopierStatus| {
                process.role == role && process.pid != victim.pid && process.active
            };
            status.phase == Phase::Ready && status.copiers.iter().any(|process| successor(&process))
        })
        .await;
    workload.stop().await.expect("the workload met no error");
    migration.post("commit").await;
    migration.end_committed().await;
    clusters.assert_equal().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_copier() {
    survives_the_death_of("copier", Phase::Copying).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_tailer() {
    survives_the_death_of("oplog-tailer", Phase::Copying).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_applier() {
    survives_the_death_of("applier", Phase::Ready).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_indexer() {
    survives_the_death_of("indexer", Phase::Copying).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_coordinator() {
    survives_the_death_of("cutover-coordinator", Phase::Copying).await;
}

/// GIVEN a migration in the middle of the copy WHEN it is stopped, and later its launcher alone is killed THEN the same
/// command continues each time, and ranges that were copied are not copied again.
#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_command_and_a_killed_launcher_continue() {
    let clusters = Clusters::seeded(60).await;
    let workload = clusters.workload(300).await;
    let state = tempfile::tempdir().expect("a directory");
    let mut migration = Migration::between(&clusters, state.path()).start();
    let half =
        |status: &mongoferry_protocol::MigrationStatus| status.phase == Phase::Copying && status.bytes > 10 << 20;
    migration.wait_for("part of the copy", half).await;
    let mut migration = migration.stop_and_start_again().await;
    migration
        .wait_for("more of the copy", |status| status.phase == Phase::Copying || status.phase == Phase::Ready)
        .await;
    let mut migration = migration.kill_and_start_again().await;
    migration.wait_for_phase(Phase::Ready).await;
    let mut migration = migration.kill_and_start_again().await;
    migration.wait_for_phase(Phase::Ready).await;
    workload.stop().await.expect("the workload met no error");
    migration.post("commit").await;
    migration.end_committed().await;
    clusters.assert_equal().await;
}

/// What holds the lock of the stages as they do, and does not end when its launcher does.
const HANGS: &str = "flock --nonblock 1 && echo held >&2 && exec sleep 600";

/// GIVEN a process of an earlier start that still holds the lock of the stages, and does not end by itself WHEN the command is started
/// again THEN it ends that process, and the migration continues.
#[tokio::test(flavor = "multi_thread")]
async fn a_stage_that_outlives_its_launcher_is_ended() {
    let clusters = Clusters::seeded(5).await;
    let state = tempfile::tempdir().expect("a directory");
    let mut migration = Migration::between(&clusters, state.path()).start();
    migration.wait_for_phase(Phase::Ready).await;
    let lock = OpenOptions::new().append(true).open(migration.state_file("stages.lock")).expect("stands");
    let mut hanging = None;
    let mut migration = migration
        .stop_and_start_again_after(|| {
            let mut command = Command::new("sh");
            let mut child = command.args(["-c", HANGS]).stdout(lock).stderr(Stdio::piped()).spawn().expect("sh starts");
            let mut said = [0; 5];
            child.stderr.as_mut().expect("is piped").read_exact(&mut said).expect("it holds the lock");
            hanging = Some(child);
        })
        .await;
    migration.wait_for_phase(Phase::Ready).await;
    let ended = hanging.expect("was started").wait().expect("can be waited for");
    assert_eq!(ended.signal(), Some(9));
    migration.post("commit").await;
    migration.end_committed().await;
    clusters.assert_equal().await;
}
