//! Checks that grow with the number of collections stay few and cheap.

use std::time::Instant;

use bson::{Document, doc};
use futures_util::{StreamExt, stream};
use mongoferry_testbed::ReplicaSet;

use crate::outcome::{Outcome, troubles};

/// Set MONGOFERRY_TEST_COLLECTIONS=9000 to see the time for so many (10,000 with their indexes need more than the 20,000 open
/// files that are often the limit); creating them takes minutes.
fn count() -> u64 {
    std::env::var("MONGOFERRY_TEST_COLLECTIONS").map_or(500, |count| count.parse().expect("a number"))
}

/// How often each command was run so far.
struct Commands(Document);

impl Commands {
    async fn of(set: &ReplicaSet) -> Self {
        let admin = set.client().await.expect("a client").database("admin");
        let status = admin.run_command(doc! {"serverStatus": 1}).await.expect("answers");
        let metrics = status.get_document("metrics").expect("is there");
        Self(metrics.get_document("commands").expect("is there").clone())
    }

    fn run(&self, command: &str) -> i64 {
        self.0.get_document(command).and_then(|counts| counts.get_i64("total")).unwrap_or(0)
    }

    /// Those run since `earlier` and more often than a few times, which a server does for itself and for its members too.
    fn frequent_since(&self, earlier: &Self) -> Vec<(String, i64)> {
        let since = |name: &str| self.run(name) - earlier.run(name);
        self.0.keys().map(|name| (name.clone(), since(name))).filter(|(_, times)| *times > count() as i64 / 5).collect()
    }
}

/// GIVEN many collections WHEN they are checked THEN each costs the source two commands, both of which the server answers
/// from memory, and the destination none.
#[tokio::test(flavor = "multi_thread")]
async fn a_collection_costs_two_cheap_commands() {
    let (source, destination) = tokio::try_join!(ReplicaSet::single(), ReplicaSet::single()).expect("two replica sets");
    for set in [&source, &destination] {
        let name = if std::ptr::eq(set, &source) { "many" } else { "further" };
        let many = set.client().await.expect("a client").database(name);
        let creations = stream::iter(0..count()).map(|number| {
            let many = many.clone();
            async move { many.run_command(doc! {"create": format!("c{number}")}).await.expect("created") }
        });
        creations.buffer_unordered(16).for_each(|_| std::future::ready(())).await;
    }
    let before = [Commands::of(&source).await, Commands::of(&destination).await];
    let began = Instant::now();
    let (code, report) = Outcome::json(&source.uri(), &destination.uri()).await;
    eprintln!("{} collections: {:?}", count(), began.elapsed());
    let after = [Commands::of(&source).await, Commands::of(&destination).await];
    assert_eq!(code, 0, "{:#?}", troubles(&report));
    assert_eq!(report.inventory.expect("taken").collections.len() as u64, count());
    let each = count() as i64;
    assert_eq!(after[0].frequent_since(&before[0]), [("dataSize".to_owned(), each), ("listIndexes".to_owned(), each)]);
    assert_eq!(after[1].frequent_since(&before[1]), []);
}
