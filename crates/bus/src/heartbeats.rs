//! Signs of life, over core NATS.

use futures_util::StreamExt;
use mongoferry_protocol::{Heartbeat, decode, encode};

use crate::{Bus, BusError, topology};

/// Receives the heartbeats of every process of the migration.
pub struct HeartbeatListener(async_nats::Subscriber);

impl Bus {
    pub async fn send_heartbeat(&self, heartbeat: &Heartbeat) -> Result<(), BusError> {
        let subject = topology::heartbeat_subject(&self.id);
        let sent = self.client.publish(subject, encode(heartbeat)?.into()).await;
        sent.map_err(|cause| BusError::failed("send a heartbeat", cause))
    }

    pub async fn heartbeats(&self) -> Result<HeartbeatListener, BusError> {
        let subscribed = self.client.subscribe(topology::heartbeat_subject(&self.id)).await;
        subscribed.map(HeartbeatListener).map_err(|cause| BusError::failed("listen for heartbeats", cause))
    }
}

impl HeartbeatListener {
    /// The next heartbeat that this build can read; those of other versions are passed over.
    pub async fn next(&mut self) -> Option<Heartbeat> {
        while let Some(message) = self.0.next().await {
            if let Ok(heartbeat) = decode(&message.payload) {
                return Some(heartbeat);
            }
        }
        None
    }
}
