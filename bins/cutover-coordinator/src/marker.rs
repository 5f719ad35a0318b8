//! The marker in the destination's database `mongoferry`: whose destination it is. Pure.

use bson::{Document, doc};
use mongoferry_protocol::MigrationSettings;

use crate::settings::label;

pub const COLLECTION: &str = "marker";
pub const ID: &str = "migration";

/// Without its `_id`.
pub fn marker(settings: &MigrationSettings) -> Document {
    doc! {
        "id": settings.id.as_str(), "source": label(&settings.source), "created_at_ms": settings.created_at_ms as i64,
    }
}

/// Its name alone would not tell a migration from another one of that name.
pub fn is_ours(standing: &Document, settings: &MigrationSettings) -> bool {
    let ours = marker(settings);
    ["id", "created_at_ms"].into_iter().all(|field| standing.get(field) == ours.get(field))
}

#[cfg(test)]
mod tests {
    use mongoferry_protocol::{ClusterIdentity, CutoverMode, MigrationSettings};

    use super::{is_ours, marker};

    #[test]
    fn another_migration_of_the_same_name_has_another_marker() {
        let cluster = || ClusterIdentity {
            replica_set: "rs".into(),
            replica_set_id: None,
            hosts: vec!["a:1".into()],
            version: "6.0.5".into(),
        };
        let settings = |id: &str, created_at_ms| MigrationSettings {
            id: id.parse().expect("an id"),
            source: cluster(),
            destination: cluster(),
            cutover: CutoverMode::Manual,
            cutover_limit_ms: 0,
            verify: true,
            lanes: 4,
            created_at_ms,
        };
        let ours = settings("default", 7);
        assert!(is_ours(&marker(&ours), &ours));
        assert!(!is_ours(&marker(&settings("default", 8)), &ours));
        assert!(!is_ours(&marker(&settings("other", 7)), &ours));
    }
}
