//! How much the bus takes, as far as it tells its clients.

use async_nats::jetstream::account::Account;

use crate::{Bus, BusError};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BusLimits {
    /// Bytes of one message.
    pub max_payload: u64,
    /// Bytes stored by this account, all migrations together.
    pub stored_bytes: u64,
    /// The most that this account may store on disk; absent without a limit. The server's disk is not told.
    pub max_stored_bytes: Option<u64>,
}

impl Bus {
    pub async fn limits(&self) -> Result<BusLimits, BusError> {
        let account = self
            .jetstream
            .query_account()
            .await
            .map_err(|cause| BusError::failed("ask for the account's limits", cause))?;
        Ok(BusLimits::of(self.max_payload(), &account))
    }
}

/// What is left to records and work items. A bus that is full of batches must still take the phase and the leases, or nobody
/// could apply what it holds.
const RESERVE: u64 = 64 * 1024 * 1024;

impl BusLimits {
    /// What oplog batches may take of a bus whose limit is known, if they take `taken` by now: all but a reserve and what else is
    /// there.
    pub fn oplog_bytes(&self, taken: u64) -> Option<u64> {
        let left = self.max_stored_bytes?.saturating_sub(self.stored_bytes.saturating_sub(taken));
        Some(left.saturating_sub(RESERVE.min(left / 4)))
    }

    pub(crate) fn of(max_payload: usize, account: &Account) -> Self {
        Self {
            max_payload: max_payload as u64,
            stored_bytes: account.storage,
            max_stored_bytes: account.limits.max_storage.and_then(|limit| u64::try_from(limit).ok()),
        }
    }
}
