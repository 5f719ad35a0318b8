//! What a prediction rests on, from what is known of the migration so far. Pure.

use mongoferry_protocol::{MigrationSettings, Phase, PhaseRecord, VerifiedAheadView};

use crate::{
    copy_progress::CopyProgress,
    prediction::{Measured, Size},
    status::phases,
};

pub fn measured(
    settings: &MigrationSettings,
    record: &PhaseRecord,
    copy: &CopyProgress,
    ahead: Option<&VerifiedAheadView>,
    lag_ms: u64,
) -> Measured {
    let copying_ms: u64 =
        phases(record).iter().filter(|stay| stay.phase == Phase::Copying).map(|stay| stay.duration_ms).sum();
    let per = |amount: f64, by: u64| (amount > 0.0 && by > 0).then(|| amount / by as f64);
    let size = |documents, bytes| Size { documents, bytes };
    Measured {
        lag_ms,
        sizes: copy
            .collections
            .iter()
            .map(|collection| (collection.namespace.clone(), size(collection.documents, collection.bytes)))
            .collect(),
        index_us_per_document: per(copy.index_build_ms as f64 * 1_000.0, copy.documents_indexed),
        copy_rate: per(copy.bytes as f64 * 1_000.0, copying_ms),
        bytes_to_compare: ahead.map_or(copy.bytes, |ahead| ahead.bytes_at_cutover),
        verify: settings.verify,
    }
}
