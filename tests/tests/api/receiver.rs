//! A listener that webhooks are sent to.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

#[derive(Clone, Debug)]
pub struct Received {
    pub path: String,
    /// Names in lower case.
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

impl Received {
    pub fn event(&self) -> Value {
        serde_json::from_slice(&self.body).expect("an event is JSON")
    }
}

/// Dropped with its runtime.
#[derive(Clone)]
pub struct Receiver {
    pub address: String,
    taken: Arc<Mutex<Vec<Received>>>,
    refusals: Arc<AtomicUsize>,
}

impl Receiver {
    /// Refuses the first `refusals` requests as a server in trouble would, and takes the others.
    pub async fn refusing_first(refusals: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = format!("http://{}", listener.local_addr().expect("is bound"));
        let receiver = Self { address, taken: Arc::default(), refusals: Arc::new(AtomicUsize::new(refusals)) };
        let served = receiver.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let receiver = served.clone();
                tokio::spawn(async move { receiver.answer(stream).await });
            }
        });
        receiver
    }

    /// In the order in which they came.
    pub fn taken(&self) -> Vec<Received> {
        self.taken.lock().expect("no panic while it is locked").clone()
    }

    pub fn refusals_left(&self) -> usize {
        self.refusals.load(Ordering::SeqCst)
    }

    async fn answer(&self, stream: TcpStream) {
        let Some((received, mut stream)) = read(stream).await else { return };
        let refused =
            self.refusals.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok();
        if !refused {
            self.taken.lock().expect("no panic while it is locked").push(received);
        }
        let status = if refused { "503 Service Unavailable" } else { "204 No Content" };
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        // Somebody who was killed does not need it.
        let _ = stream.write_all(answer.as_bytes()).await;
    }
}

/// `None` if it broke off.
async fn read(stream: TcpStream) -> Option<(Received, TcpStream)> {
    let mut reader = BufReader::new(stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let path = lines.first()?.split(' ').nth(1)?.to_owned();
    let header = |line: &String| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned()));
    let headers: BTreeMap<String, String> = lines.iter().skip(1).filter_map(header).collect();
    let mut body = vec![0; headers.get("content-length")?.parse().ok()?];
    reader.read_exact(&mut body).await.ok()?;
    Some((Received { path, headers, body }, reader.into_inner()))
}
