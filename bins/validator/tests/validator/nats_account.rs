//! A nats-server whose account has limits.

use std::{
    fs,
    process::{Child, Stdio},
    time::Duration,
};

use mongoferry_testbed::tools::find_nats_server;
use tempfile::TempDir;
use tokio::net::TcpStream;

/// Ended on drop.
pub struct NatsAccount {
    process: Child,
    port: u16,
    _store: TempDir,
}

impl NatsAccount {
    /// User `ferry`, password `s3cret`; `max_file` bytes on disk, messages of `max_payload` bytes.
    pub async fn start(max_file: u64, max_payload: u64) -> Self {
        let store = tempfile::tempdir().expect("a directory");
        let jetstream = format!("jetstream {{ store_dir: \"{}\" }}", store.path().display());
        let account = format!("jetstream: {{ max_file: {max_file} }},");
        Self::with(store, max_payload, &jetstream, &account).await
    }

    /// The same without JetStream.
    pub async fn without_jetstream() -> Self {
        Self::with(tempfile::tempdir().expect("a directory"), 1 << 20, "", "").await
    }

    async fn with(store: TempDir, max_payload: u64, jetstream: &str, account: &str) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound").port();
        let config = format!(
            "listen: \"127.0.0.1:{port}\"\nmax_payload: {max_payload}\n{jetstream}\n\
             accounts {{ A: {{ {account} users: [{{ user: ferry, password: s3cret }}] }} }}\n"
        );
        let file = store.path().join("nats.conf");
        fs::write(&file, config).expect("written");
        let mut command = find_nats_server(None).await.expect("nats-server").command();
        command.arg("-c").arg(&file).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let process = command.spawn().expect("nats-server starts");
        let up = async {
            while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), up).await.expect("nats-server answers");
        Self { process, port, _store: store }
    }

    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }
}

impl Drop for NatsAccount {
    fn drop(&mut self) {
        let _ = self.process.kill().and_then(|()| self.process.wait());
    }
}
