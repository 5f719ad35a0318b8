use std::time::Duration;

use tokio::time::{Instant, timeout};

use crate::{connect, start_nats};

#[tokio::test]
async fn a_standby_takes_over_after_the_holder_died_and_not_before() {
    let nats = start_nats().await;
    let (one, other) = (connect(&nats).await, connect(&nats).await);
    let held = one.acquire_lease("applier", "one").await.expect("is free");
    let early = timeout(Duration::from_secs(12), other.acquire_lease("applier", "other")).await;
    assert!(early.is_err(), "the lease was renewed and yet taken over");
    assert!(held.still_held());

    drop(held);
    let died = Instant::now();
    let taken = other.acquire_lease("applier", "other").await.expect("runs out");
    let after = died.elapsed();
    assert!(after > Duration::from_secs(7) && after < Duration::from_secs(15), "taken over after {after:?}");
    assert!(taken.still_held());
}

#[tokio::test]
async fn a_released_lease_and_ones_own_are_taken_at_once() {
    let nats = start_nats().await;
    let bus = connect(&nats).await;
    let began = Instant::now();
    let first = bus.acquire_lease("indexer", "a").await.expect("is free");
    first.release().await.expect("is given up");
    let second = bus.acquire_lease("indexer", "b").await.expect("was given up");
    let third = bus.acquire_lease("indexer", "b").await.expect("is our own");
    assert!(began.elapsed() < Duration::from_secs(5));
    // The older of the two finds out with its next renewal.
    timeout(Duration::from_secs(5), second.lost()).await.expect("the deposed holder notices");
    assert!(!second.still_held() && third.still_held());
}
