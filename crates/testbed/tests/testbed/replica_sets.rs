//! GIVEN real replica sets WHEN members are killed, stopped, paused or asked to step down THEN the set comes back.

use bson::{Document, doc};
use mongodb::{
    Client,
    options::{Acknowledgment, WriteConcern},
};
use mongoferry_testbed::{MongodVersion, ProxyMode, ReplicaSet};

async fn write_and_count(client: &Client) -> u64 {
    let notes = client.database("test").collection::<Document>("notes");
    let majority = WriteConcern::builder().w(Acknowledgment::Majority).build();
    notes.insert_one(doc! { "text": "written" }).write_concern(majority).await.unwrap();
    notes.count_documents(doc! {}).await.unwrap()
}

#[tokio::test]
async fn a_single_member_survives_kill_and_step_down() {
    let mut set = ReplicaSet::single().await.unwrap();
    let client = set.client().await.unwrap();
    assert_eq!(write_and_count(&client).await, 1);
    set.kill(0);
    assert_eq!(set.member_pid(0), None);
    set.restart(0).await.unwrap();
    assert_eq!(write_and_count(&client).await, 2);
    assert_eq!(set.step_down().await.unwrap(), 0);
    assert_eq!(write_and_count(&client).await, 3);
    let directory = set.directory().to_owned();
    assert!(set.member_data_dir(0).join("WiredTiger.wt").exists());
    set.shutdown().await;
    assert!(!directory.exists());
}

#[tokio::test]
async fn three_members_elect_another_primary() {
    let mut set = ReplicaSet::builder().members(3).start().await.unwrap();
    let client = set.client().await.unwrap();
    assert_eq!(write_and_count(&client).await, 1);
    let first = set.primary_index().await.unwrap();
    set.kill(first);
    let second = set.primary_index().await.unwrap();
    assert_ne!(first, second);
    assert_eq!(write_and_count(&client).await, 2);
    set.restart(first).await.unwrap();
    set.pause(second);
    let third = set.primary_index().await.unwrap();
    assert_ne!(second, third);
    set.resume(second);
    assert_eq!(write_and_count(&client).await, 3);
    let stepped = set.step_down().await.unwrap();
    assert_ne!(stepped, third);
    set.shutdown().await;
}

#[tokio::test]
async fn auth_and_tls_admit_only_who_may() {
    let set = ReplicaSet::builder().members(3).auth().tls().start().await.unwrap();
    assert!(set.ca_file().unwrap().exists());
    assert_eq!(write_and_count(&set.client().await.unwrap()).await, 1);
    let roles = ["backup", "readAnyDatabase", "clusterMonitor"];
    let mechanisms = ["SCRAM-SHA-1", "SCRAM-SHA-256"];
    set.create_user(
        "migrator",
        doc! { "pwd": "m1grate", "roles": roles.as_slice(), "mechanisms": mechanisms.as_slice() },
    )
    .await
    .unwrap();
    let migrator = Client::with_uri_str(set.uri_for("migrator", "m1grate")).await.unwrap();
    let notes = migrator.database("test").collection::<Document>("notes");
    assert_eq!(notes.count_documents(doc! {}).await.unwrap(), 1);
    assert!(notes.insert_one(doc! {}).await.is_err());
    let nobody = Client::with_uri_str(set.uri_without_credentials()).await.unwrap();
    assert!(nobody.database("test").collection::<Document>("notes").count_documents(doc! {}).await.is_err());
}

#[tokio::test]
async fn old_and_new_versions_start() {
    for version in MongodVersion::ALL {
        let set = ReplicaSet::builder().version(version).start().await.unwrap();
        assert_eq!(set.version().to_string(), version.to_string());
        assert_eq!(write_and_count(&set.client().await.unwrap()).await, 1);
        set.shutdown().await;
    }
}

#[tokio::test]
async fn a_standalone_is_no_replica_set() {
    let mut set = ReplicaSet::builder().standalone().await.unwrap();
    let admin = set.client().await.unwrap().database("admin");
    let hello = admin.run_command(doc! { "isMaster": 1 }).await.unwrap();
    assert!(!hello.contains_key("setName"));
    set.stop(0).await;
    set.restart(0).await.unwrap();
}

#[tokio::test]
async fn a_set_behind_proxies_is_known_by_them() {
    let set = ReplicaSet::builder().behind_proxies().start().await.unwrap();
    let client = set.client().await.unwrap();
    assert_eq!(write_and_count(&client).await, 1);
    set.proxy(0).set(ProxyMode::Refuse);
    let impatient = Client::with_uri_str(set.uri() + "&serverSelectionTimeoutMS=300").await.unwrap();
    assert!(impatient.list_database_names().await.is_err());
    set.proxy(0).set(ProxyMode::Pass);
    assert_eq!(write_and_count(&client).await, 2);
}
