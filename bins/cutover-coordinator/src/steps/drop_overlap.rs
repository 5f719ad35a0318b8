//! Drops from the destination what was validated and confirmed to be dropped, while nothing is copied yet.
//!
//! Each is dropped by its UUID, so neither a collection that someone made meanwhile nor one of the migration itself can go.
//! Killed in the middle, the step is taken again with what is left.

use mongoferry_bus::key;
use mongoferry_mongo::{Asking, DropOutcome, Fenced, drop_collection, facts, last_optimes, wait_for_majority};
use mongoferry_protocol::{DropTarget, ValidationReport};

use crate::{coordinate::Coordinator, coordinator_error::CoordinatorError};

impl Coordinator {
    pub(super) async fn drop_overlap(&self) -> Result<(), CoordinatorError> {
        let report: ValidationReport = self.view.mirror.get(&key::validation())?.unwrap_or_default();
        let Some(first) = report.to_drop.first() else { return Ok(()) };
        let set = &self.settings.destination.replica_set;
        if self.confirmed_drop.as_ref() != Some(set) {
            return Err(CoordinatorError::DropUnconfirmed { namespace: first.namespace.to_string(), set: set.clone() });
        }
        let version = facts(&self.destination).await?.version;
        let still_ours = || -> Asking<'_> { Box::pin(std::future::ready(self.lease.still_held())) };
        let destination = Fenced::new(&self.destination, &still_ours);
        loop {
            let term = last_optimes(&self.destination).await?.term;
            for target in &report.to_drop {
                let outcome = drop_collection(destination, version, target).await?;
                judge(target, outcome)?;
            }
            // Within one term nothing of it can be rolled back any more; after an election it is looked at again.
            let last = last_optimes(&self.destination).await?.last;
            if wait_for_majority(&self.destination, last).await?.term == term {
                return Ok(());
            }
        }
    }
}

fn judge(target: &DropTarget, outcome: DropOutcome) -> Result<(), CoordinatorError> {
    let namespace = target.namespace.to_string();
    match outcome {
        DropOutcome::Dropped => tracing::info!(namespace, "dropped from the destination"),
        DropOutcome::Gone => tracing::info!(namespace, "was gone from the destination already"),
        DropOutcome::Replaced => return Err(CoordinatorError::Replaced { namespace }),
    }
    Ok(())
}
