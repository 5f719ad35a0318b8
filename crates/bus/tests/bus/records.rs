use mongoferry_bus::{Bus, BusOptions, key};
use mongoferry_protocol::{
    CollectionUuid, CopyRange, Explain, MigrationId, Phase, PhaseRecord, RangePlan, RangeProgress, Retry,
};

use crate::{connect, start_nats};

const COLLECTION: CollectionUuid = CollectionUuid::from_bytes([7; 16]);

fn plan(ranges: u32) -> RangePlan {
    let range = |number| CopyRange {
        collection: COLLECTION,
        number,
        order: mongoferry_protocol::ReadOrder::ById,
        lower: Some(serde_bytes::ByteBuf::from(vec![number as u8; 300])),
        upper: None,
    };
    RangePlan { ranges: (0..ranges).map(range).collect() }
}

#[tokio::test]
async fn a_record_changes_only_from_the_revision_it_was_read_at() {
    let nats = start_nats().await;
    let (one, other) = (connect(&nats).await, connect(&nats).await);
    let key = key::phase();
    let created = PhaseRecord::created();
    let revision = one.records().create(&key, &created).await.expect("answers").expect("is new");
    assert_eq!(other.records().create(&key, &created).await.expect("answers"), None);

    let validating = created.entering(Phase::Validating).expect("may follow");
    let changed = other.records().update(&key, &validating, revision).await.expect("answers");
    assert!(changed.is_some());
    assert_eq!(one.records().update(&key, &created, revision).await.expect("answers"), None);
    let stored = one.records().get(&key).await.expect("answers").expect("is there");
    assert_eq!((stored.value, Some(stored.revision)), (validating, changed));

    one.records().remove(&key).await.expect("answers");
    assert!(one.records().get(&key).await.expect("answers").is_none());
}

#[tokio::test]
async fn a_value_larger_than_a_message_is_split_and_joined() {
    let nats = start_nats().await;
    let bus = connect(&nats).await;
    let key = key::range_plan(COLLECTION);
    let mut mirror = bus.records().mirror();
    for ranges in [20_000, 3, 9_000] {
        bus.records().put(&key, &plan(ranges)).await.expect("is stored");
        assert_eq!(bus.records().get(&key).await.expect("answers").map(|stored| stored.value), Some(plan(ranges)));
        while mirror.get(&key).expect("decodes") != Some(plan(ranges)) {
            mirror.changed().await;
        }
    }
}

/// GIVEN a value larger than a message that is put again and again THEN the bus does not keep all of them.
#[tokio::test]
async fn parts_of_what_is_replaced_go() {
    let nats = start_nats().await;
    let bus = connect(&nats).await;
    let key = key::range_plan(COLLECTION);
    let client = async_nats::connect(nats.url()).await.expect("connects");
    let jetstream = async_nats::jetstream::new(client);
    let kept = async || {
        let mut bucket = jetstream.get_stream("KV_mongoferry-test").await.expect("is there");
        bucket.info().await.expect("answers").state.messages
    };
    for _ in 0..2 {
        bus.records().put(&key, &plan(20_000)).await.expect("is stored");
    }
    let two = kept().await;
    for _ in 0..5 {
        bus.records().put(&key, &plan(20_000)).await.expect("is stored");
        assert_eq!(kept().await, two);
        assert_eq!(bus.records().get(&key).await.expect("answers").map(|stored| stored.value), Some(plan(20_000)));
    }
    for ranges in [3, 4] {
        bus.records().put(&key, &plan(ranges)).await.expect("is stored");
    }
    assert_eq!(kept().await, 1);
}

/// GIVEN a split value WHEN parts of it are gone for good THEN reading it is an error with a code, and does not go on for ever.
#[tokio::test]
async fn a_value_whose_parts_are_gone_is_an_error() {
    let nats = start_nats().await;
    let bus = connect(&nats).await;
    let key = key::range_plan(COLLECTION);
    bus.records().put(&key, &plan(20_000)).await.expect("is stored");
    let client = async_nats::connect(nats.url()).await.expect("connects");
    let bucket = async_nats::jetstream::new(client).get_stream("KV_mongoferry-test").await.expect("is there");
    bucket.purge().filter("$KV.mongoferry-test.part.>").await.expect("is purged");
    let gone = bus.records().get(&key).await.expect_err("can't be read");
    assert_eq!((gone.code(), gone.retry()), ("MF-BUS-11", Retry::Never));
    bus.records().put(&key, &plan(3)).await.expect("is stored");
    assert_eq!(bus.records().get(&key).await.expect("answers").map(|stored| stored.value), Some(plan(3)));
}

#[tokio::test]
async fn the_mirror_follows_the_bucket() {
    let nats = start_nats().await;
    let bus = connect(&nats).await;
    let progress = |documents| RangeProgress { documents, ..RangeProgress::default() };
    bus.records().put(&key::range(COLLECTION, 0), &progress(5)).await.expect("is stored");
    let mut mirror = bus.records().mirror();
    while mirror.get(&key::range(COLLECTION, 0)).expect("decodes") != Some(progress(5)) {
        mirror.changed().await;
    }
    bus.records().put(&key::range(COLLECTION, 1), &progress(6)).await.expect("is stored");
    bus.records().remove(&key::range(COLLECTION, 0)).await.expect("is removed");
    let expected = vec![(format!("{COLLECTION}.1"), progress(6))];
    while mirror.all::<RangeProgress>(key::RANGE_PREFIX).expect("decodes") != expected {
        mirror.changed().await;
    }
}

#[tokio::test]
async fn an_unreachable_bus_and_wrong_credentials_are_told_apart() {
    let nats = start_nats().await;
    let id: MigrationId = "test".parse().expect("an id");
    let options = |url: &str, user: &str| mongoferry_bus::BusOptions {
        url: url.into(),
        user: Some(user.into()),
        password: Some("wrong".into()),
        credentials_file: None,
        replicas: 1,
    };
    let refused = mongoferry_bus::Bus::connect(&options(&nats.url(), "nobody"), &id).await;
    let unreachable = mongoferry_bus::Bus::connect(&options("nats://127.0.0.1:1", "nobody"), &id).await;
    let unreachable = unreachable.err().expect("nothing listens on port 1");
    assert_eq!((unreachable.code(), unreachable.retry()), ("MF-BUS-1", Retry::Soon));
    if nats.credentials().is_some() {
        assert_eq!(refused.err().expect("a wrong password").code(), "MF-BUS-2");
    }
}

/// GIVEN records of a version that writes another format WHEN a process of this one connects THEN it refuses with a code, and
/// leaves everything as it is.
#[tokio::test]
async fn a_migration_of_another_version_is_refused_and_not_touched() {
    let nats = start_nats().await;
    connect(&nats).await;
    let client = async_nats::connect(nats.url()).await.expect("connects");
    let jetstream = async_nats::jetstream::new(client);
    let store = jetstream.get_key_value("mongoferry-test").await.expect("is there");
    // The 0 says that the value is whole.
    let foreign = vec![0, mongoferry_protocol::FORMAT_VERSION + 1, 1, 2, 3];
    let revision = store.put(key::phase().as_str(), foreign.into()).await.expect("is stored");

    let options = BusOptions { url: nats.url(), user: None, password: None, credentials_file: None, replicas: 1 };
    let refused = Bus::connect(&options, &"test".parse().expect("an id")).await.err().expect("is refused");
    assert_eq!((refused.code(), refused.retry()), ("MF-CODEC-1", Retry::Never));
    let bucket = jetstream.get_stream("KV_mongoferry-test").await.expect("is there");
    assert_eq!(bucket.cached_info().state.last_sequence, revision);
}
