use mongoferry_bus::BusError;
use mongoferry_protocol::{OplogBatch, Optime};
use mongoferry_testbed::NatsServer;

use crate::{connect, start_nats};

/// The batch number `number` of a chain, with `bytes` bytes that do not compress.
fn batch(number: u32, bytes: usize) -> OplogBatch {
    let mut state = u64::from(number) + 1;
    let noise = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    });
    OplogBatch {
        previous: if number == 0 { Optime::ZERO } else { Optime::new(number, 2) },
        first: Optime::new(number + 1, 1),
        last: Optime::new(number + 1, 2),
        last_wall_ms: u64::from(number),
        last_change: Optime::ZERO,
        entry_count: 2,
        raw_bytes: bytes as u32,
        entries: noise.take(bytes).collect(),
        progress: None,
    }
}

#[tokio::test]
async fn batches_of_any_size_come_back_in_order() {
    let nats = start_nats().await;
    let bus = connect(&nats).await;
    let sizes = [0, 100, 600_000, 3 << 20, 50, 17 << 20, 1_000_000, 1_048_576, 7];
    let (mut publisher, last) = bus.batch_publisher().await.expect("opens");
    assert!(last.is_none());
    for (number, size) in sizes.iter().enumerate() {
        publisher.publish(&batch(number as u32, *size)).await.expect("is sent");
    }
    let confirmed = publisher.confirm_all().await.expect("is stored").expect("something was sent");
    assert_eq!(*confirmed.get(), Optime::new(sizes.len() as u32, 2));

    let mut reader = bus.batch_reader(0).await.expect("opens");
    let mut sequences = Vec::new();
    for (number, size) in sizes.iter().enumerate() {
        let stored = reader.next().await.expect("a batch");
        assert!(stored.batch == batch(number as u32, *size), "batch {number} differs");
        sequences.push(stored.sequence);
    }
    assert!(sequences.is_sorted());

    // Reading from the middle, and after what lies before was purged.
    bus.purge_batches_before(sequences[5]).await.expect("is purged");
    let mut reader = bus.batch_reader(sequences[5]).await.expect("opens");
    assert_eq!(reader.next().await.expect("a batch").batch.last, batch(5, 0).last);
    assert!(matches!(bus.batch_reader(sequences[4]).await, Err(BusError::BatchesGone { .. })));

    let (_, last) = bus.batch_publisher().await.expect("opens");
    assert_eq!(last.expect("batches are stored").batch, batch(8, 7));
}

#[tokio::test]
async fn a_second_publisher_is_refused_and_leaves_no_hole() {
    let nats = start_nats().await;
    let bus = connect(&nats).await;
    let (mut one, _) = bus.batch_publisher().await.expect("opens");
    let (mut other, _) = bus.batch_publisher().await.expect("opens");
    one.publish(&batch(0, 10)).await.expect("is sent");
    one.confirm_all().await.expect("is stored");
    let mut refused = Ok(None);
    for number in 0..5 {
        refused = refused.and(other.publish(&batch(number, 10)).await);
    }
    let refused = refused.and(other.confirm_all().await);
    assert!(matches!(refused, Err(BusError::AnotherPublisher)), "{refused:?}");
    assert_eq!(bus.storage().await.expect("answers").oplog_messages, 1);
}

#[tokio::test]
async fn a_full_store_refuses_every_later_batch_until_there_is_room() {
    let nats = NatsServer::builder().max_file_store_bytes(4 << 20).start().await.expect("nats-server starts");
    let bus = connect(&nats).await;
    let (mut publisher, _) = bus.batch_publisher().await.expect("opens");
    let mut sent = 0;
    let refused = loop {
        // Large ones, and small ones that would still fit behind a large one that was refused.
        let size = if sent % 2 == 0 { 900_000 } else { 10 };
        if let Err(error) = publisher.publish(&batch(sent, size)).await {
            break error;
        }
        if let Err(error) = publisher.confirm_all().await {
            break error;
        }
        sent += 1;
        assert!(sent < 100, "a store of 4 MiB never filled up");
    };
    assert!(matches!(refused, BusError::StoreFull { .. }), "{refused:?}");

    let (_, last) = bus.batch_publisher().await.expect("opens");
    let last = last.expect("some were stored");
    let mut reader = bus.batch_reader(0).await.expect("opens");
    for _ in 0..sent {
        reader.next().await.expect("an unbroken chain");
    }
    bus.purge_batches_before(last.sequence).await.expect("room is made");
    let (mut publisher, last) = bus.batch_publisher().await.expect("opens");
    assert_eq!(last.expect("the last one stays").batch.last, Optime::new(sent, 2));
    publisher.publish(&batch(sent, 900_000)).await.expect("is sent");
    publisher.confirm_all().await.expect("is stored");
    assert_eq!(reader.next().await.expect("a batch").batch.last, Optime::new(sent + 1, 2));
}

#[tokio::test]
async fn a_reader_outlives_a_killed_nats_server() {
    let mut nats = start_nats().await;
    let bus = connect(&nats).await;
    let (mut publisher, _) = bus.batch_publisher().await.expect("opens");
    publisher.publish(&batch(0, 2 << 20)).await.expect("is sent");
    publisher.confirm_all().await.expect("is stored");
    let mut reader = bus.batch_reader(0).await.expect("opens");
    assert!(reader.next().await.expect("a batch").batch == batch(0, 2 << 20));

    nats.kill();
    nats.restart().await.expect("starts again");
    let published = async {
        // The old publisher's connection may or may not have noticed; a new one is opened as after any error.
        loop {
            if let Ok((mut publisher, last)) = bus.batch_publisher().await {
                assert_eq!(last.expect("the store survived").batch.last, Optime::new(1, 2));
                publisher.publish(&batch(1, 10)).await.expect("is sent");
                publisher.confirm_all().await.expect("is stored");
                break;
            }
        }
    };
    let (next, ()) = tokio::join!(read_on(&mut reader), published);
    assert_eq!(next, batch(1, 10));
}

/// While the server is away opening may fail; the reader itself stays usable.
async fn read_on(reader: &mut mongoferry_bus::BatchReader) -> OplogBatch {
    loop {
        if let Ok(stored) = reader.next().await {
            return stored.batch;
        }
    }
}
