//! Marks the destination as in use by this migration, before anything else is written to it.

use bson::doc;
use mongoferry_protocol::Namespace;

use crate::{coordinate::Coordinator, coordinator_error::CoordinatorError, marker};

impl Coordinator {
    /// An upsert that changes nothing if a marker stands; then it must be ours.
    pub(super) async fn claim_destination(&self) -> Result<(), CoordinatorError> {
        let ours = marker::marker(&self.settings);
        let claim = doc! {
            "findAndModify": marker::COLLECTION, "query": {"_id": marker::ID}, "update": {"$setOnInsert": ours},
            "upsert": true, "new": true, "writeConcern": {"w": "majority", "wtimeout": 5_000},
        };
        self.lease.check()?;
        let reply = self.destination.command(Namespace::OWN_DATABASE, claim).await?;
        let standing = reply.get_document("value").ok();
        if standing.is_some_and(|standing| marker::is_ours(standing, &self.settings)) {
            return Ok(());
        }
        let other = standing.and_then(|standing| standing.get_str("id").ok()).unwrap_or_default();
        Err(CoordinatorError::DestinationTaken { other: other.to_owned() })
    }
}
