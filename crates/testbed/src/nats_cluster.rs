//! Three nats-servers that keep streams together.

use futures_util::future::try_join_all;

use crate::{free_port::free_port, nats_server::NatsServer, testbed_error::TestbedError};

pub struct NatsCluster {
    pub servers: Vec<NatsServer>,
}

const SERVERS: usize = 3;

impl NatsCluster {
    /// Returns when each server answers; they may not have found one another yet.
    pub async fn start() -> Result<Self, TestbedError> {
        let port = |_| free_port().map_err(TestbedError::io("find a free port"));
        let ports = (0..SERVERS).map(port).collect::<Result<Vec<_>, _>>()?;
        let servers = ports.iter().map(|own| NatsServer::builder().monitoring().cluster(*own, ports.clone()).start());
        Ok(Self { servers: try_join_all(servers).await? })
    }

    /// Until all have found one another and agree.
    pub async fn wait_ready(&mut self) -> Result<(), TestbedError> {
        for server in &mut self.servers {
            server.wait_healthy().await?;
        }
        Ok(())
    }

    /// All addresses, separated by commas.
    pub fn urls(&self) -> String {
        self.servers.iter().map(NatsServer::url).collect::<Vec<_>>().join(",")
    }
}
