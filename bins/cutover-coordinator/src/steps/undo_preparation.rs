//! Once changes are applied again, no index may refuse them that was prepared for the cutover.
//!
//! The phase changes first: a preparation that is still under way sees that and ends, and what it had done until then is found here.
//! What it does later it undoes itself. Killed in between, the next coordinator finds in the phase record that this is still to be done.

use mongoferry_mongo::{Asking, Fenced, revert_preparation};

use crate::{coordinate::Coordinator, coordinator_error::CoordinatorError};

impl Coordinator {
    pub(super) async fn undo_preparation(&mut self) -> Result<(), CoordinatorError> {
        let lease = self.lease.clone();
        let still_ours = || -> Asking<'_> { Box::pin(std::future::ready(lease.still_held())) };
        let destination = Fenced::new(&self.destination, &still_ours);
        for undone in revert_preparation(&self.source, destination).await? {
            tracing::info!("{undone}");
        }
        self.phase.change(|record| record.preparation_stands = false).await
    }
}
