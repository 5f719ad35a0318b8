//! Everything that the stages read from the bus, each as what it is not too.

use mongoferry_protocol::{
    CaptureProgress, Catalog, Checkpoint, CollectionPlan, Explain, Failure, Finalization, Heartbeat, IndexProgress,
    MigrationSettings, OplogBatch, PhaseRecord, RangePlan, RangeProgress, StartPoint, ValidationReport, Verification,
    WorkItem, decode,
};

pub fn messages(bytes: &[u8]) {
    read::<CaptureProgress>(bytes);
    read::<Catalog>(bytes);
    read::<Checkpoint>(bytes);
    read::<CollectionPlan>(bytes);
    read::<Failure>(bytes);
    read::<Finalization>(bytes);
    read::<Heartbeat>(bytes);
    read::<IndexProgress>(bytes);
    read::<MigrationSettings>(bytes);
    read::<OplogBatch>(bytes);
    read::<PhaseRecord>(bytes);
    read::<RangePlan>(bytes);
    read::<RangeProgress>(bytes);
    read::<StartPoint>(bytes);
    read::<ValidationReport>(bytes);
    read::<Verification>(bytes);
    read::<WorkItem>(bytes);
}

fn read<T: serde::de::DeserializeOwned>(bytes: &[u8]) {
    if let Err(error) = decode::<T>(bytes) {
        let _ = (error.to_string(), error.hint(), error.code(), error.retry());
    }
}
