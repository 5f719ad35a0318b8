//! Lists the source's collections after the start point, records each, and queues their planning.

use bson::RawDocumentBuf;
use mongoferry_bus::key;
use mongoferry_mongo::{CatalogListing, CollectionInfo, list_catalog, refusal};
use mongoferry_protocol::{Catalog, CollectionPlan, WorkItem};

use crate::{coordinate::Coordinator, coordinator_error::CoordinatorError};

impl Coordinator {
    /// The catalog is recorded last: whoever finds it finds every collection of it.
    pub(super) async fn list_catalog(&mut self) -> Result<(), CoordinatorError> {
        let listing = list_catalog(&self.source).await?;
        refuse_what_is_not_handled(&listing)?;
        let mut plans: Vec<CollectionPlan> = listing.stores().filter_map(plan).collect();
        plans.sort_by_key(|plan| std::cmp::Reverse(plan.size_bytes));
        let records = self.stage.bus.records().clone();
        for plan in &plans {
            records.put(&key::collection(plan.uuid), plan).await?;
        }
        let collections: Vec<_> = plans.iter().map(|plan| plan.uuid).collect();
        let catalog = Catalog { listed_at: listing.listed_at, collections: collections.clone() };
        records.create(&key::catalog(), &catalog).await?;
        tracing::info!(collections = collections.len(), listed_at = %listing.listed_at, "catalog listed");
        for collection in collections {
            self.queue_once(WorkItem::PlanCollection { collection }).await?;
        }
        Ok(())
    }
}

fn plan(info: &CollectionInfo) -> Option<CollectionPlan> {
    let bytes = |document: &RawDocumentBuf| serde_bytes::ByteBuf::from(document.as_bytes().to_vec());
    Some(CollectionPlan {
        uuid: info.uuid?,
        namespace: info.namespace.clone(),
        options: info.options.as_bytes().to_vec(),
        indexes: info.indexes.iter().map(bytes).collect(),
        size_bytes: info.size_bytes,
        document_count: info.document_count,
    })
}

fn refuse_what_is_not_handled(listing: &CatalogListing) -> Result<(), CoordinatorError> {
    for info in listing.stores() {
        if let Some(reason) = refusal(&info.options, &info.namespace) {
            return Err(CoordinatorError::NotMigratable { namespace: info.namespace.to_string(), reason });
        }
    }
    Ok(())
}
