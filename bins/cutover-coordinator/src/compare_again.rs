//! Orders the verifier to compare again what is known to differ.

use mongoferry_bus::key;
use mongoferry_protocol::{Comparison, ComparisonState, WorkItem, now_ms};

use crate::{coordinate::Coordinator, coordinator_error::CoordinatorError};

impl Coordinator {
    /// One that is under way with the same intent is this one; another takes the place of one with the other intent. Safe to
    /// repeat: an item that is queued twice is done once.
    pub async fn compare_again(&mut self, repair: bool) -> Result<(), CoordinatorError> {
        if !self.settings.verify {
            return Err(CoordinatorError::NotVerifying);
        }
        let records = self.stage.bus.records().clone();
        let known = records.get(&key::comparison()).await?;
        let order = match &known {
            Some(known) if known.value.is_running() && known.value.repair == repair => known.value.clone(),
            known => {
                let number = known.as_ref().map_or(0, |known| known.value.number) + 1;
                let cutover = self.phase.record().cutover.as_ref().map_or(0, |cutover| cutover.number);
                new_order(number, repair, cutover)
            }
        };
        // Stored before it is queued, so that whoever takes the item knows it.
        records.put(&key::comparison(), &order).await?;
        self.stage.bus.queue_work(&WorkItem::CompareAgain { number: order.number }).await?;
        Ok(())
    }
}

fn new_order(number: u32, repair: bool, cutover: u32) -> Comparison {
    Comparison {
        number,
        repair,
        cutover,
        state: ComparisonState::Running,
        looked_at: 0,
        repaired: 0,
        differing: Vec::new(),
        differing_count: 0,
        remarks: Vec::new(),
        ordered_at_ms: now_ms(),
        finished_at_ms: 0,
    }
}
