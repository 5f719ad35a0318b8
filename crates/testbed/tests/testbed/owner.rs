//! GIVEN servers started by another process WHEN that process is killed with SIGKILL THEN the servers and their directories go too.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use mongoferry_testbed::{NatsServer, ReplicaSet};
use rustix::process::{Pid, test_kill_process};

const OWNER: &str = "MONGOFERRY_TEST_OWNER";

/// Not a test of its own: what the killed process runs. It prints its servers' pids and waits to be killed.
#[tokio::test]
async fn runs_servers_for_the_test_below() {
    if std::env::var_os(OWNER).is_none() {
        return;
    }
    let set = ReplicaSet::single().await.unwrap();
    let nats = NatsServer::builder().start().await.unwrap();
    let directories = [set.directory().display(), nats.state_dir().display()];
    println!("\npids {} {} {} {}", set.member_pid(0).unwrap(), nats.pid(), directories[0], directories[1]);
    std::future::pending::<()>().await;
}

fn runs(pid: i32) -> bool {
    test_kill_process(Pid::from_raw(pid).unwrap()).is_ok()
}

#[tokio::test]
async fn servers_end_with_a_killed_owner() {
    let mut owner = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "owner::runs_servers_for_the_test_below", "--nocapture"])
        .env(OWNER, "1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(owner.stdout.take().unwrap()).lines();
    let line = lines.map(Result::unwrap).find(|line| line.starts_with("pids ")).unwrap();
    let words: Vec<&str> = line.split_whitespace().collect();
    let pids: Vec<i32> = words[1..3].iter().map(|word| word.parse().unwrap()).collect();
    assert!(pids.iter().all(|pid| runs(*pid)));

    owner.kill().unwrap();
    owner.wait().unwrap();

    let ended = tokio::time::timeout(Duration::from_secs(20), async {
        while pids.iter().any(|pid| runs(*pid)) || words[3..].iter().any(|path| Path::new(path).exists()) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    ended.await.expect("the servers end with their owner");
}

#[tokio::test]
async fn servers_end_with_a_panic() {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let panicking = tokio::spawn(async move {
        let set = ReplicaSet::single().await.unwrap();
        sender.send(set.member_pid(0).unwrap()).unwrap();
        panic!("on purpose");
    });
    assert!(panicking.await.is_err());
    assert!(!runs(receiver.await.unwrap() as i32));
}
