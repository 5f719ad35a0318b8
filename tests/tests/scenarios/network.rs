use std::{num::NonZeroU32, time::Duration};

use mongoferry_protocol::{MigrationStatus, Party, Phase};
use mongoferry_testbed::{NatsServer, ProxyMode, ProxyPort, ReplicaSet, SeedSize, Workload, WorkloadOptions, seed};
use mongoferry_tests::{Clusters, Migration};

/// A migration whose three legs are behind proxies.
struct Legs {
    clusters: Clusters,
    _nats: NatsServer,
    bus: ProxyPort,
}

impl Legs {
    async fn start() -> Self {
        let set = || ReplicaSet::builder().behind_proxies().start();
        let (source, destination, nats) = tokio::join!(set(), set(), NatsServer::builder().start());
        let nats = nats.expect("nats-server starts");
        let clusters = Clusters {
            source: source.expect("a source starts"),
            destination: destination.expect("a destination starts"),
        };
        seed::fill(&clusters.source_client().await, SeedSize { mib: 20 }).await.expect("the source is filled");
        Self { clusters, bus: ProxyPort::start(nats.port()).await.expect("a proxy starts"), _nats: nats }
    }

    fn migration(&self, state: &std::path::Path) -> Migration {
        let bus = format!("--nats=nats://{}", self.bus.address());
        Migration::between(&self.clusters, state).argument(&bus).start()
    }

    fn set(&self, party: Party, mode: ProxyMode) {
        match party {
            Party::Source => self.clusters.source.proxy(0).set(mode),
            Party::Destination => self.clusters.destination.proxy(0).set(mode),
            Party::Bus => self.bus.set(mode),
        }
    }
}

/// How long an outage lasts at least; it lasts until it is shown in any case. MONGOFERRY_OUTAGE_SECONDS, for runs by hand.
fn least() -> Duration {
    let seconds = std::env::var("MONGOFERRY_OUTAGE_SECONDS").map(|text| text.parse().expect("seconds"));
    Duration::from_secs(seconds.unwrap_or(0))
}

fn is_down(status: &MigrationStatus, party: Party) -> bool {
    status.outages.iter().any(|outage| outage.party == party)
}

/// GIVEN a migration that is in step WHEN the network to one of the parties is cut, swallows everything, resets or delays
/// THEN the status says which leg is down and since when, for as long as that is so, and the migration goes on by itself.
#[tokio::test(flavor = "multi_thread")]
async fn a_leg_that_is_down_is_named_and_the_migration_goes_on() {
    let legs = Legs::start().await;
    let state = tempfile::tempdir().expect("a directory");
    let mut migration = legs.migration(state.path());
    migration.wait_for_phase(Phase::Ready).await;
    // Users go past the proxy: they would not put up with a minute's outage.
    let users = legs.clusters.source.client_of_member(0).await.expect("the source answers");
    let options = WorkloadOptions { operations_per_second: NonZeroU32::new(100), ..Default::default() };
    let workload = Workload::start(users, options).await.expect("the workload starts");
    for party in [Party::Source, Party::Destination, Party::Bus] {
        let first_began = tokio::time::Instant::now();
        for mode in [ProxyMode::Refuse, ProxyMode::BlackHole, ProxyMode::Reset] {
            let began = tokio::time::Instant::now();
            legs.set(party, mode);
            migration.wait_for("the outage is shown", |status| is_down(status, party)).await;
            // What an outage lasts is part of it.
            tokio::time::sleep(least().saturating_sub(began.elapsed())).await;
            let status = migration.wait_for("an answer", |status| is_down(status, party)).await;
            let outage = status.outages.iter().find(|outage| outage.party == party).expect("is shown");
            let lasted = began.elapsed();
            // An idle process may still tell of the outage before, until it has asked again.
            let longest = first_began.elapsed();
            assert!(Duration::from_millis(outage.down_for_ms) <= longest, "{outage:?} after {longest:?}");
            let screen = migration.command(&["status"]).await;
            let screen = String::from_utf8_lossy(&screen.stdout).into_owned();
            assert!(screen.contains(&format!("down: the {party} for ")), "{screen}");

            legs.set(party, ProxyMode::Pass);
            let healed = tokio::time::Instant::now();
            migration.wait_for("nothing is down", |status| status.outages.is_empty()).await;
            migration.until_in_step(&legs.clusters).await;
            eprintln!("{mode:?} to the {party} for {lasted:.1?}: in step {:.1?} after its end", healed.elapsed());
        }
        legs.set(party, ProxyMode::Delay(Duration::from_millis(200)));
        migration.until_in_step(&legs.clusters).await;
        legs.set(party, ProxyMode::Pass);
    }
    workload.stop().await.expect("the workload met no error");
    migration.wait_for("ready again", |status| status.phase == Phase::Ready && status.gap_closed).await;
    migration.post("commit").await;
    migration.end_committed().await;
    legs.clusters.assert_equal().await;
}
