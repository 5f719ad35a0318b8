//! GIVEN a proxy before an echo server WHEN its mode changes THEN clients see just that fault.

use std::{
    io::ErrorKind,
    time::{Duration, Instant},
};

use mongoferry_testbed::{ProxyMode, ProxyPort};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::timeout,
};

async fn echo_server() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut reader, mut writer) = stream.split();
                tokio::io::copy(&mut reader, &mut writer).await.ok();
            });
        }
    });
    port
}

async fn echo(stream: &mut TcpStream) -> std::io::Result<[u8; 4]> {
    stream.write_all(b"ping").await?;
    let mut answer = [0; 4];
    stream.read_exact(&mut answer).await?;
    Ok(answer)
}

#[tokio::test]
async fn every_mode_does_what_it_says_and_heals() {
    let proxy = ProxyPort::start(echo_server().await).await.unwrap();
    let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
    assert_eq!(&echo(&mut stream).await.unwrap(), b"ping");

    proxy.set(ProxyMode::Delay(Duration::from_millis(100)));
    let started = Instant::now();
    echo(&mut stream).await.unwrap();
    assert!(started.elapsed() >= Duration::from_millis(200));

    proxy.set(ProxyMode::BlackHole);
    stream.write_all(b"held").await.unwrap();
    let mut answer = [0; 4];
    assert!(timeout(Duration::from_millis(200), stream.read_exact(&mut answer)).await.is_err());
    proxy.set(ProxyMode::Pass);
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"held");

    proxy.set(ProxyMode::Reset);
    assert_eq!(stream.read_exact(&mut answer).await.unwrap_err().kind(), ErrorKind::ConnectionReset);

    proxy.set(ProxyMode::Refuse);
    let refused = timeout(Duration::from_secs(5), async {
        loop {
            match TcpStream::connect(proxy.address()).await {
                Err(error) if error.kind() == ErrorKind::ConnectionRefused => return,
                _ => tokio::task::yield_now().await,
            }
        }
    });
    refused.await.unwrap();

    proxy.set(ProxyMode::Pass);
    let healed = timeout(Duration::from_secs(5), async {
        loop {
            let Ok(mut stream) = TcpStream::connect(proxy.address()).await else {
                tokio::task::yield_now().await;
                continue;
            };
            if echo(&mut stream).await.is_ok() {
                return;
            }
        }
    });
    healed.await.unwrap();
}
