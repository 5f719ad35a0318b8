//! The nats-server that a migration on one machine has for itself.
//!
//! Its store is opened by one server at a time: the server holds the lock on it as its standard input, so the lock lasts
//! as long as the server does, even if this process is killed. User and password are new with every start, so that a
//! stage that outlived an earlier launcher can't speak on it.

use std::path::PathBuf;

use mongoferry_testbed::NatsServer;

use crate::{
    bus_choice::BusAddress, launcher_error::LauncherError, state_dir::StateDir, store_limit::store_limit, stray_server,
};

const DIRECTORY: &str = "bus";
const LOCK_FILE: &str = "bus.lock";
/// As crates/testbed names it in the directory it is given.
const CONFIG_FILE: &str = "nats-server.conf";

pub struct PrivateBus {
    server: NatsServer,
    address: BusAddress,
}

impl PrivateBus {
    /// Ready on return. `nats_server` is the program, if the user named one.
    pub async fn start(state_dir: &StateDir, nats_server: Option<PathBuf>) -> Result<Self, LauncherError> {
        let directory = state_dir.directory(DIRECTORY)?;
        let lock = stray_server::take_over(&state_dir.at(LOCK_FILE), &directory.join(CONFIG_FILE)).await?;
        let stdin = lock.share().map_err(LauncherError::io("hand the lock of the bus to nats-server"))?;
        let (user, password) = ("mongoferry".to_owned(), uuid::Uuid::new_v4().simple().to_string());
        let limit = store_limit(&directory).map_err(LauncherError::io("measure the room for the bus"))?;
        let mut builder = NatsServer::builder().state_dir(&directory).credentials(&user, &password).stdin(stdin);
        builder = builder.max_file_store_bytes(limit).max_account_bytes(limit);
        if let Some(program) = nats_server {
            builder = builder.binary(program);
        }
        let server = builder.start().await?;
        let url = server.url();
        let address = BusAddress { url, user: Some(user), password: Some(password), credentials_file: None };
        Ok(Self { server, address })
    }

    pub fn address(&self) -> &BusAddress {
        &self.address
    }

    /// Starts the server again if it ended; tells whether it had to.
    pub async fn revive(&mut self) -> Result<bool, LauncherError> {
        let ended = self.server.try_wait().map_err(LauncherError::io("wait for nats-server"))?;
        if ended.is_none() {
            return Ok(false);
        }
        self.server.restart().await?;
        Ok(true)
    }

    pub async fn stop(self) {
        self.server.stop().await;
    }
}
