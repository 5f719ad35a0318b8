//! The phase record and its revision: every change is compared and set.

use mongoferry_bus::{Records, Versioned, key};
use mongoferry_protocol::{Phase, PhaseRecord};

use crate::coordinator_error::CoordinatorError;

pub struct PhaseKeeper {
    records: Records,
    known: Versioned<PhaseRecord>,
}

impl PhaseKeeper {
    /// Reads the record, creating it in a new migration.
    pub async fn open(records: &Records) -> Result<Self, CoordinatorError> {
        let key = key::phase();
        let known = match records.get(&key).await? {
            Some(known) => known,
            None => {
                let value = PhaseRecord::created();
                let revision = records.create(&key, &value).await?.ok_or(CoordinatorError::AnotherLeader)?;
                Versioned { value, revision }
            }
        };
        Ok(Self { records: records.clone(), known })
    }

    pub fn record(&self) -> &PhaseRecord {
        &self.known.value
    }

    pub fn phase(&self) -> Phase {
        self.known.value.phase
    }

    /// Enters `next`, with further changes to the record in the same write. A transition that may not be is not made.
    pub async fn enter(&mut self, next: Phase, change: impl FnOnce(&mut PhaseRecord)) -> Result<(), CoordinatorError> {
        let Some(mut record) = self.record().entering(next) else { return Ok(()) };
        change(&mut record);
        tracing::info!(from = %self.phase(), to = %next, "phase");
        self.write(record).await
    }

    /// Changes the record within its phase.
    pub async fn change(&mut self, change: impl FnOnce(&mut PhaseRecord)) -> Result<(), CoordinatorError> {
        let mut record = self.record().clone();
        change(&mut record);
        self.write(record).await
    }

    async fn write(&mut self, record: PhaseRecord) -> Result<(), CoordinatorError> {
        let revision = self.records.update(&key::phase(), &record, self.known.revision).await?;
        let revision = revision.ok_or(CoordinatorError::AnotherLeader)?;
        self.known = Versioned { value: record, revision };
        Ok(())
    }
}
