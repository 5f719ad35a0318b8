//! Waiting for nats-server's greeting, the `INFO` line that it sends to whoever connects. It holds the server's name, so
//! that another server on the same port is not taken for ours.

use std::time::Duration;

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};

use crate::{server_process::ServerProcess, testbed_error::TestbedError};

/// A large store takes its time to be read at the start, and one of several servers that was killed over a minute until its copies
/// of the streams are in order.
const PATIENCE: Duration = Duration::from_secs(180);
const POLL: Duration = Duration::from_millis(20);

pub(super) async fn until_greeting(
    process: &mut ServerProcess,
    port: u16,
    server_name: &str,
) -> Result<(), TestbedError> {
    until(process, async || greeting(port).await.is_some_and(|greeting| greeting.contains(server_name))).await
}

/// By its monitoring, which knows whether it is in step with the other servers.
pub(super) async fn until_healthy(process: &mut ServerProcess, http_port: u16) -> Result<(), TestbedError> {
    until(process, async || health(http_port).await.is_some_and(|answer| answer.contains(" 200 "))).await
}

async fn until(process: &mut ServerProcess, reached: impl AsyncFn() -> bool) -> Result<(), TestbedError> {
    let waiting = tokio::time::timeout(PATIENCE, async {
        loop {
            process.check_running()?;
            if reached().await {
                return Ok(());
            }
            tokio::time::sleep(POLL).await;
        }
    });
    waiting.await.unwrap_or_else(|_| {
        Err(TestbedError::ServerSlow { server: process.name().to_owned(), wanted: "ready", waited: PATIENCE })
    })
}

/// The status line.
async fn health(http_port: u16) -> Option<String> {
    let read = async {
        let mut stream = TcpStream::connect(("127.0.0.1", http_port)).await.ok()?;
        stream.write_all(b"GET /healthz HTTP/1.0\r\n\r\n").await.ok()?;
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).await.ok()?;
        Some(line)
    };
    tokio::time::timeout(Duration::from_secs(2), read).await.ok().flatten()
}

async fn greeting(port: u16) -> Option<String> {
    let read = async {
        let stream = TcpStream::connect(("127.0.0.1", port)).await.ok()?;
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).await.ok()?;
        line.starts_with("INFO").then_some(line)
    };
    tokio::time::timeout(Duration::from_secs(2), read).await.ok().flatten()
}
