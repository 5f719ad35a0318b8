//! Marks the destination as in use by this migration, before anything else is written to it.

use bson::{Document, doc};
use mongoferry_protocol::Namespace;

use crate::{coordinate::Coordinator, coordinator_error::CoordinatorError};

impl Coordinator {
    /// An upsert that changes nothing if a marker stands; then it must be ours.
    pub(super) async fn claim_destination(&self) -> Result<(), CoordinatorError> {
        let id = self.settings.id.as_str();
        let marker = doc! {
            "id": id, "source": crate::settings::label(&self.settings.source), "created_at_ms": self.settings.created_at_ms as i64,
        };
        let claim = doc! {
            "findAndModify": "marker", "query": {"_id": "migration"}, "update": {"$setOnInsert": marker}, "upsert": true,
            "new": true, "writeConcern": {"w": "majority"},
        };
        self.lease.check()?;
        let reply = self.destination.command(Namespace::OWN_DATABASE, claim).await?;
        let holder = reply.get_document("value").and_then(|marker: &Document| marker.get_str("id")).unwrap_or_default();
        if holder == id { Ok(()) } else { Err(CoordinatorError::DestinationTaken { other: holder.to_owned() }) }
    }
}
