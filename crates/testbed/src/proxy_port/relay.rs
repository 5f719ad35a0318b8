//! Bytes of one proxied connection, carried both ways under the mode of the moment.

use std::time::Duration;

use tokio::{
    net::TcpStream,
    sync::{mpsc, watch},
    time::Instant,
};

use super::ProxyMode;

const CHUNK_BYTES: usize = 64 * 1024;
/// Chunks under way in one direction; enough that a delay does not limit throughput much.
const CHUNKS_UNDER_WAY: usize = 256;

struct Chunk {
    bytes: Vec<u8>,
    read_at: Instant,
}

/// Runs until either end closes. Half-closed connections are not kept up: database and bus clients make none.
pub(super) async fn both_ways(client: &TcpStream, upstream: &TcpStream, modes: watch::Receiver<ProxyMode>) {
    for stream in [client, upstream] {
        // Only a matter of latency.
        let _ = stream.set_nodelay(true);
    }
    tokio::select! {
        () = one_way(client, upstream, modes.clone()) => {}
        () = one_way(upstream, client, modes.clone()) => {}
    }
}

/// The peer sees a reset connection when the stream is dropped after this.
pub(super) fn reset(stream: &TcpStream) {
    // Best effort: without it the peer sees an ordinary end.
    let _ = stream.set_zero_linger();
}

async fn one_way(from: &TcpStream, to: &TcpStream, modes: watch::Receiver<ProxyMode>) {
    let (sender, receiver) = mpsc::channel(CHUNKS_UNDER_WAY);
    tokio::join!(read_all(from, sender), write_all(to, receiver, modes));
}

async fn read_all(from: &TcpStream, chunks: mpsc::Sender<Chunk>) {
    let mut buffer = vec![0; CHUNK_BYTES];
    while from.readable().await.is_ok() {
        match from.try_read(&mut buffer) {
            Ok(0) => return,
            Ok(length) => {
                let chunk = Chunk { bytes: buffer[..length].to_vec(), read_at: Instant::now() };
                if chunks.send(chunk).await.is_err() {
                    return;
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(_) => return,
        }
    }
}

async fn write_all(to: &TcpStream, mut chunks: mpsc::Receiver<Chunk>, mut modes: watch::Receiver<ProxyMode>) {
    while let Some(chunk) = chunks.recv().await {
        let Ok(mode) = modes.wait_for(|mode| *mode != ProxyMode::BlackHole).await.map(|mode| *mode) else { return };
        tokio::time::sleep_until(chunk.read_at + delay(mode)).await;
        if write_chunk(to, &chunk.bytes).await.is_err() {
            return;
        }
    }
}

fn delay(mode: ProxyMode) -> Duration {
    match mode {
        ProxyMode::Delay(delay) => delay,
        ProxyMode::Pass | ProxyMode::BlackHole | ProxyMode::Reset | ProxyMode::Refuse => Duration::ZERO,
    }
}

async fn write_chunk(to: &TcpStream, mut bytes: &[u8]) -> std::io::Result<()> {
    while !bytes.is_empty() {
        to.writable().await?;
        match to.try_write(bytes) {
            Ok(length) => bytes = &bytes[length..],
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
