//! What administrators do to a replica set that is in use.

use std::time::Duration;

use bson::{Array, Bson, doc};
use mongoferry_testbed::ReplicaSet;
use tokio::time::{Instant, sleep};

const PATIENCE: Duration = Duration::from_secs(20);
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Stops and starts every member, the primary last, as for an upgrade.
pub async fn restart_all(set: &mut ReplicaSet) {
    let primary = set.primary_index().await.expect("a primary");
    let others = (0..set.member_count()).filter(|index| *index != primary);
    for index in others.chain([primary]).collect::<Vec<_>>() {
        set.stop(index).await;
        set.restart(index).await.expect("comes back");
    }
    set.primary_index().await.expect("a primary");
}

/// Takes a secondary out of the set, and in again.
pub async fn remove_and_add(set: &mut ReplicaSet) {
    let primary = set.primary_index().await.expect("a primary");
    let secondary = (primary + 1) % set.member_count();
    let removed = reconfigure(set, |members| members.remove(secondary)).await;
    reconfigure(set, |members| {
        members.push(removed.clone());
        removed
    })
    .await;
}

/// A set that has just elected its primary takes no new configuration yet.
async fn reconfigure(set: &mut ReplicaSet, change: impl FnOnce(&mut Array) -> Bson) -> Bson {
    let primary = set.primary_index().await.expect("a primary");
    let admin = set.client_of_member(primary).await.expect("answers").database("admin");
    let current = admin.run_command(doc! {"replSetGetConfig": 1}).await.expect("answers");
    let mut config = current.get_document("config").expect("a configuration").clone();
    let version = config.get_i32("version").expect("a version");
    config.insert("version", version + 1);
    let changed = change(config.get_array_mut("members").expect("members"));
    let began = Instant::now();
    while let Err(error) = admin.run_command(doc! {"replSetReconfig": config.clone()}).await {
        assert!(began.elapsed() < PATIENCE, "{error}");
        sleep(LOOK_AGAIN).await;
    }
    set.primary_index().await.expect("a primary");
    changed
}

/// With `alwaysOn`, the members but the primary live, and take nothing over from it; with `off` they do again. For a set with fail points.
pub async fn set_replication(set: &ReplicaSet, primary: usize, mode: &str) {
    for index in (0..set.member_count()).filter(|index| *index != primary) {
        let admin = set.client_of_member(index).await.expect("answers").database("admin");
        let command = doc! {"configureFailPoint": "stopReplProducer", "mode": mode};
        admin.run_command(command).await.expect("the server has fail points");
    }
}
