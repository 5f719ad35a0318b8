use bson::doc;
use mongoferry_mongo::{DropOutcome, Fenced, drop_collection, facts, list_namespaces};
use mongoferry_protocol::{DropTarget, Namespace};
use mongoferry_testbed::{MongodVersion, ReplicaSet};

use super::{Server, of_set};

/// The collection or view `shop.<name>` as it stands now.
async fn target(server: &Server, name: &str) -> DropTarget {
    let listing = list_namespaces(&server.cluster).await.expect("lists");
    let namespace = Namespace::new("shop", name);
    let all = listing.collections.iter().chain(&listing.views);
    let info = all.into_iter().find(|info| info.namespace == namespace).expect("stands");
    DropTarget { namespace, uuid: info.uuid, documents: 0, disk_bytes: 0 }
}

/// Servers from 6.0 on compare the UUID themselves, older ones do not.
#[tokio::test(flavor = "multi_thread")]
async fn only_the_very_collection_is_dropped_and_no_later_one_of_its_name() {
    for version in [MongodVersion::V4_2_6, MongodVersion::V5_0_4, MongodVersion::V6_0_5] {
        let set = ReplicaSet::builder().version(version).start().await.expect("a replica set");
        let server = of_set(set).await;
        let version = facts(&server.cluster).await.expect("asks").version;
        server.insert("shop", "orders", vec![doc! {"_id": 1}]).await;
        server.run("shop", doc! {"create": "seen", "viewOn": "orders", "pipeline": []}).await;
        let (orders, seen) = (target(&server, "orders").await, target(&server, "seen").await);
        assert!(orders.uuid.is_some() && seen.uuid.is_none());
        let drop = async |target: &DropTarget| {
            drop_collection(Fenced::alone(&server.cluster), version, target).await.expect("answers")
        };

        assert_eq!(drop(&seen).await, DropOutcome::Dropped, "{version}");
        assert_eq!(drop(&seen).await, DropOutcome::Gone, "{version}");
        // A collection where a view stood, and another collection where one stood.
        server.insert("shop", "seen", vec![doc! {"_id": 1}]).await;
        server.run("shop", doc! {"drop": "orders"}).await;
        server.insert("shop", "orders", vec![doc! {"_id": 2}]).await;
        for target in [&orders, &seen] {
            assert_eq!(drop(target).await, DropOutcome::Replaced, "{version}");
            assert_eq!(server.count("shop", target.namespace.collection()).await, 1);
        }
        let orders = target(&server, "orders").await;
        assert_eq!(drop(&orders).await, DropOutcome::Dropped, "{version}");
        assert_eq!(drop(&orders).await, DropOutcome::Gone, "{version}");
        server.end().await;
    }
}
