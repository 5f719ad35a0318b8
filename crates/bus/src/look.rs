//! Looks at a bus without leaving anything on it.

use async_nats::jetstream;
use mongoferry_protocol::Reachability;

use crate::{BusError, BusLimits, BusOptions, connection::connect_client};

/// Whether the bus answers, lets us in and has JetStream; and how much it takes.
pub async fn look(options: &BusOptions) -> Result<BusLimits, BusError> {
    let client = connect_client(options, &Reachability::default()).await?;
    let jetstream = jetstream::new(client.clone());
    let account = jetstream.query_account().await.map_err(|cause| BusError::no_account(&options.url, cause))?;
    Ok(BusLimits::of(client.server_info().max_payload, &account))
}
