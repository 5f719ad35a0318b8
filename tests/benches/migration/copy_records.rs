//! The exact times of a copy, from what the copiers recorded on the bus. (The API shows sums, a few times a second.)

use mongoferry_bus::{Bus, BusOptions, key};
use mongoferry_protocol::RangeState;
use mongoferry_testbed::NatsServer;

use crate::cpu_meter::At;

pub struct CopyRecords {
    /// The first range was taken.
    pub began_at: At,
    /// The last one was acknowledged.
    pub ended_at: At,
    pub documents: u64,
    pub bytes: u64,
    /// Documents written a second time.
    pub repeated: u64,
    /// That the applier writes in.
    pub lanes: u32,
}

pub async fn copy_records(bus: &NatsServer, migration: &str) -> CopyRecords {
    let (user, password) = (None, None);
    let options = BusOptions { url: bus.url(), user, password, credentials_file: None, replicas: 1 };
    let id = migration.parse().expect("is an id");
    let bus = Bus::connect(&options, &id).await.expect("the bus answers");
    let records = bus.records();
    let settings = records.get(&key::settings()).await.expect("the bus answers").expect("are settled").value;
    let catalog = records.get(&key::catalog()).await.expect("the bus answers").expect("is listed").value;
    let mut copy =
        CopyRecords { began_at: f64::MAX, ended_at: 0.0, documents: 0, bytes: 0, repeated: 0, lanes: settings.lanes };
    for uuid in catalog.collections {
        let plan = records.get(&key::range_plan(uuid)).await.expect("the bus answers").expect("is planned").value;
        for range in plan.ranges {
            let progress = records.get(&key::range(uuid, range.number)).await.expect("the bus answers");
            let progress = progress.expect("was copied").value;
            assert_eq!(progress.state, RangeState::Done);
            copy.began_at = copy.began_at.min(progress.started_at_ms as At);
            copy.ended_at = copy.ended_at.max(progress.updated_at_ms as At);
            copy.documents += progress.documents;
            copy.bytes += progress.bytes;
            copy.repeated += progress.repeated;
        }
    }
    copy
}
