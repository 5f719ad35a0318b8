//! Checks that grow with the number of collections stay quick.

use std::time::{Duration, Instant};

use bson::doc;
use futures_util::{StreamExt, stream};
use mongoferry_testbed::ReplicaSet;

use crate::outcome::{Outcome, troubles};

/// Set MONGOFERRY_TEST_COLLECTIONS=10000 for the number that is promised; creating so many takes minutes.
fn count() -> u64 {
    std::env::var("MONGOFERRY_TEST_COLLECTIONS").map_or(1_000, |count| count.parse().expect("a number"))
}

#[tokio::test(flavor = "multi_thread")]
async fn many_collections_are_checked_within_ten_seconds() {
    let (source, destination) = tokio::try_join!(ReplicaSet::single(), ReplicaSet::single()).expect("two replica sets");
    let many = source.client().await.expect("a client").database("many");
    let creations = stream::iter(0..count()).map(|number| {
        let many = many.clone();
        async move { many.run_command(doc! {"create": format!("c{number}")}).await.expect("created") }
    });
    creations.buffer_unordered(16).for_each(|_| std::future::ready(())).await;
    let began = Instant::now();
    let (code, report) = Outcome::json(&source.uri(), &destination.uri()).await;
    let took = began.elapsed();
    assert_eq!(code, 0, "{:#?}", troubles(&report));
    assert_eq!(report.inventory.expect("taken").collections.len() as u64, count());
    eprintln!("{} collections: {took:?}", count());
    assert!(took < Duration::from_secs(10), "{took:?}");
}
