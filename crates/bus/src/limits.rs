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

impl BusLimits {
    pub(crate) fn of(max_payload: usize, account: &Account) -> Self {
        Self {
            max_payload: max_payload as u64,
            stored_bytes: account.storage,
            max_stored_bytes: account.limits.max_storage.and_then(|limit| u64::try_from(limit).ok()),
        }
    }
}
