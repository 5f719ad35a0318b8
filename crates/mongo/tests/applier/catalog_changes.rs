use bson::{RawDocumentBuf, doc, rawdoc};
use mongoferry_mongo::{ApplyError, DdlExecutor, DdlPlan, DdlStep, MapChange, MongoError};
use mongoferry_protocol::Namespace;
use serde_bytes::ByteBuf;

use crate::{Server, at, destination, namespace, plain, uuid};

fn raw(document: RawDocumentBuf) -> ByteBuf {
    ByteBuf::from(document.into_bytes())
}

fn create(name: &str) -> DdlStep {
    DdlStep::Create { namespace: namespace(name), options: raw(rawdoc! {"validator": {"n": {"$exists": true}}}) }
}

fn rename(from: &str, to: &str) -> DdlStep {
    DdlStep::Rename { from: namespace(from), to: namespace(to), uuid: None }
}

fn drop_step(name: &str) -> DdlStep {
    DdlStep::Drop { namespace: namespace(name), uuid: None }
}

/// Claims the plan, executes only its first `done` steps, and dies; then a successor does what stands in the claim.
async fn interrupted(server: &Server, plan: DdlPlan, done: usize) {
    let (mut first, _) = server.take_over().await;
    let executor = DdlExecutor::new(&server.cluster, &|| Ok(())).await.expect("connects");
    let plan = executor.resolve(plan).await.expect("resolves");
    first.claim_barrier(at(150).position, plan.clone()).await.expect("claims");
    for step in plan.steps.iter().take(done) {
        executor.execute(step).await.expect("executes");
    }

    let (mut second, _) = server.take_over().await;
    let claim = second.claim().cloned().expect("a claim stands");
    assert_eq!((claim.position, &claim.plan), (at(150).position, &plan));
    for step in &claim.plan.steps {
        executor.execute(step).await.expect("executes again");
    }
    second.record_barrier(at(150)).await.expect("records");
    assert!(first.record_barrier(at(150)).await.is_err(), "the first one's term has ended");

    let (third, _) = server.take_over().await;
    assert_eq!(third.claim(), None);
    assert_eq!(third.lanes(), [at(150), at(150)]);
    assert_eq!(third.checkpoint().into_inner().changes_applied, 1);
}

async fn map_of(server: &Server, number: u8) -> Option<Namespace> {
    server.take_over().await.0.collections().namespace(uuid(number)).cloned()
}

#[tokio::test]
async fn a_create_done_twice_creates_once() {
    for done in [0, 1] {
        let server = destination(&[]).await;
        let map_changes = vec![MapChange::Set(uuid(1), plain(namespace("shop.new")))];
        let plan = DdlPlan { kind: "create".into(), steps: vec![create("shop.new")], map_changes };
        interrupted(&server, plan, done).await;
        assert_eq!(server.collections("shop").await, ["new"]);
        assert_eq!(map_of(&server, 1).await, Some(namespace("shop.new")));
        server.end().await;
    }
}

#[tokio::test]
async fn a_drop_done_twice_spares_what_came_after() {
    for done in [0, 1] {
        let server = destination(&[(uuid(1), "shop.orders")]).await;
        server.run("shop", doc! {"insert": "orders", "documents": [{"_id": 1}]}).await;
        let map_changes = vec![MapChange::Remove(uuid(1))];
        let plan = DdlPlan { kind: "drop".into(), steps: vec![drop_step("shop.orders")], map_changes };
        let executor = DdlExecutor::new(&server.cluster, &|| Ok(())).await.expect("connects");
        let resolved = executor.resolve(plan.clone()).await.expect("resolves");
        interrupted(&server, plan, done).await;
        assert!(server.collections("shop").await.is_empty());
        assert_eq!(map_of(&server, 1).await, None);

        // A process that slept through all this wakes up and goes on with its drop.
        server.run("shop", doc! {"insert": "orders", "documents": [{"_id": 2}]}).await;
        executor.execute(&resolved.steps[0]).await.expect("does nothing");
        assert_eq!(server.documents("shop", "orders").await, [doc! {"_id": 2}]);
        server.end().await;
    }
}

#[tokio::test]
async fn a_rename_over_another_collection_done_twice_moves_once() {
    for done in [0, 1, 2] {
        let server = destination(&[(uuid(1), "shop.a"), (uuid(2), "shop.b")]).await;
        server.run("shop", doc! {"insert": "a", "documents": [{"_id": "a"}]}).await;
        server.run("shop", doc! {"insert": "b", "documents": [{"_id": "b"}]}).await;
        let plan = DdlPlan {
            kind: "rename".into(),
            steps: vec![drop_step("shop.b"), rename("shop.a", "shop.b")],
            map_changes: vec![MapChange::Remove(uuid(2)), MapChange::Set(uuid(1), plain(namespace("shop.b")))],
        };
        interrupted(&server, plan, done).await;
        assert_eq!(server.collections("shop").await, ["b"]);
        assert_eq!(server.documents("shop", "b").await, [doc! {"_id": "a"}]);
        assert_eq!((map_of(&server, 1).await, map_of(&server, 2).await), (Some(namespace("shop.b")), None));
        server.end().await;
    }
}

#[tokio::test]
async fn indexes_and_options_can_be_set_twice() {
    let server = destination(&[(uuid(1), "shop.orders")]).await;
    server.run("shop", doc! {"create": "orders"}).await;
    let spec = rawdoc! {"v": 2, "key": {"n": 1}, "name": "n_1", "unique": true};
    let target = || (namespace("shop.orders"), None);
    let step = |(namespace, uuid)| DdlStep::CreateIndexes { namespace, uuid, specs: vec![raw(spec.clone())] };
    let plan = DdlPlan { kind: "createIndexes".into(), steps: vec![step(target())], map_changes: vec![] };
    let executor = DdlExecutor::new(&server.cluster, &|| Ok(())).await.expect("connects");
    let options = raw(rawdoc! {"validator": {"n": 1}, "validationLevel": "moderate"});
    let (namespace, uuid) = target();
    let coll_mod = DdlStep::CollMod { namespace: namespace.clone(), uuid, options };
    let drop_index = DdlStep::DropIndex { namespace, uuid, name: "n_1".into() };
    let others = DdlPlan { kind: "others".into(), steps: vec![coll_mod, drop_index], map_changes: vec![] };

    let plan = executor.resolve(plan).await.expect("resolves");
    for step in [&plan.steps[0], &plan.steps[0]] {
        executor.execute(step).await.expect("builds");
    }
    let indexes = server.run("shop", doc! {"listIndexes": "orders"}).await;
    let indexes = format!("{indexes}");
    assert!(indexes.contains("n_1") && !indexes.contains("unique"), "{indexes}");
    let others = executor.resolve(others).await.expect("resolves");
    for step in others.steps.iter().chain(&others.steps) {
        executor.execute(step).await.expect("executes");
    }
    let listed = server.run("shop", doc! {"listCollections": 1}).await.to_string();
    assert!(listed.contains("moderate"), "{listed}");
    assert!(!server.run("shop", doc! {"listIndexes": "orders"}).await.to_string().contains("n_1"));
    server.end().await;
}

#[tokio::test]
async fn a_collection_that_nobody_claimed_is_not_taken_for_ours() {
    let server = destination(&[]).await;
    server.run("shop", doc! {"create": "new"}).await;
    let executor = DdlExecutor::new(&server.cluster, &|| Ok(())).await.expect("connects");
    let plan = DdlPlan { kind: "create".into(), steps: vec![create("shop.new")], map_changes: vec![] };
    let error = executor.resolve(plan).await.expect_err("it stands already");
    assert!(matches!(error, ApplyError::Destination(MongoError::CollectionDiffers { .. })), "{error}");
    server.end().await;
}
