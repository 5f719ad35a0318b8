//! A server whose clock runs ahead: its replies are real but for the time in them.

use bson::{DateTime, doc};
use mongoferry_testbed::ReplicaSet;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::outcome::{Outcome, passed, troubles_of};

const AHEAD_MS: i64 = 3_600_000;
/// The element of a reply to `isMaster`: a date of that name.
const LOCAL_TIME: &[u8] = b"\x09localTime\0";

/// Passes everything on; the port.
async fn ahead_of_its_time(upstream: u16) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("bound").port();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(pass_on(client, upstream));
        }
    });
    port
}

async fn pass_on(client: TcpStream, upstream: u16) -> std::io::Result<()> {
    let server = TcpStream::connect(("127.0.0.1", upstream)).await?;
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    tokio::spawn(async move { tokio::io::copy(&mut from_client, &mut to_server).await });
    loop {
        let mut header = [0; 4];
        from_server.read_exact(&mut header).await?;
        let mut message = vec![0; u32::from_le_bytes(header) as usize];
        message[..4].copy_from_slice(&header);
        from_server.read_exact(&mut message[4..]).await?;
        if let Some(at) = message.windows(LOCAL_TIME.len()).position(|window| window == LOCAL_TIME) {
            let time = &mut message[at + LOCAL_TIME.len()..][..8];
            let skewed = i64::from_le_bytes(time.try_into().expect("eight bytes")) + AHEAD_MS;
            time.copy_from_slice(&skewed.to_le_bytes());
        }
        to_client.write_all(&message).await?;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_runs_ahead_is_noticed() {
    let (source, destination) = tokio::try_join!(ReplicaSet::single(), ReplicaSet::single()).expect("two replica sets");
    assert!(DateTime::now().timestamp_millis() > AHEAD_MS && doc! {"localTime": DateTime::now()}.len() == 1);
    let port = ahead_of_its_time(source.member_port(0)).await;
    let uri = format!("mongodb://127.0.0.1:{port}/?directConnection=true");
    let (code, report) = Outcome::json(&uri, &destination.uri()).await;
    assert_eq!(code, 0, "{report:#?}");
    let warnings = troubles_of(&report, "MF-V22");
    assert!(warnings.len() == 1 && warnings[0].check.contains("source"), "{warnings:#?}");
    assert!(warnings[0].found.contains("ahead") && warnings[0].remedy.contains("NTP"), "{warnings:#?}");
    assert!(passed(&report, "MF-V22").contains("this machine's"), "{report:#?}");
}
