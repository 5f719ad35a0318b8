use std::time::Duration;

use mongoferry_protocol::{CollectionUuid, Queue, WorkItem};

use crate::{connect, start_nats};

fn item(number: u32) -> WorkItem {
    WorkItem::CopyRange { collection: CollectionUuid::from_bytes([1; 16]), number }
}

#[tokio::test]
async fn each_item_is_with_one_worker_until_it_is_finished_or_given_back() {
    let nats = start_nats().await;
    let (one, other) = (connect(&nats).await, connect(&nats).await);
    for number in 0..2 {
        one.queue_work(&item(number)).await.expect("is queued");
    }
    let (queue_of_one, queue_of_other) =
        (one.work_queue(Queue::Copier).await.expect("opens"), other.work_queue(Queue::Copier).await.expect("opens"));
    let first = queue_of_one.take().await.expect("answers").expect("an item");
    let second = queue_of_other.take().await.expect("answers").expect("an item");
    assert_eq!((&first.item, &second.item), (&item(0), &item(1)));
    assert!(first.still_held() && second.still_held());
    assert!(queue_of_one.take().await.expect("answers").is_none());

    first.finish().await.expect("is finished");
    second.give_back(Duration::ZERO).await.expect("is given back");
    let again = queue_of_one.take().await.expect("answers").expect("what was given back");
    assert_eq!(again.item, item(1));
    again.finish().await.expect("is finished");
    assert!(queue_of_other.take().await.expect("answers").is_none());
}

#[tokio::test]
async fn queues_of_different_roles_are_apart() {
    let nats = start_nats().await;
    let bus = connect(&nats).await;
    bus.queue_work(&WorkItem::Verify { cutover: 1, metadata: true }).await.expect("is queued");
    assert!(bus.work_queue(Queue::Indexer).await.expect("opens").take().await.expect("answers").is_none());
    let verify = bus.work_queue(Queue::Verifier).await.expect("opens").take().await.expect("answers");
    assert_eq!(verify.expect("an item").item, WorkItem::Verify { cutover: 1, metadata: true });
}

/// GIVEN an item in hand WHEN its holder does not get on in the time that it has told THEN it loses the item, and another gets it.
#[tokio::test]
async fn an_item_whose_holder_hangs_goes_to_another() {
    let nats = start_nats().await;
    let (one, other) = (connect(&nats).await, connect(&nats).await);
    one.queue_work(&item(0)).await.expect("is queued");
    let queue = one.work_queue(Queue::Copier).await.expect("opens");
    let held = queue.take().await.expect("answers").expect("an item");
    held.expect_progress_within(Some(Duration::from_secs(1)));
    let queue_of_other = other.work_queue(Queue::Copier).await.expect("opens");
    let again = loop {
        if let Some(again) = queue_of_other.take().await.expect("answers") {
            break again;
        }
    };
    assert!(!held.still_held());
    assert_eq!(again.item, item(0));
    again.finish().await.expect("is finished");
}
