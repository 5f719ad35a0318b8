//! Servers in a state that no test can bring about: a clock that runs ahead, a full disk. Their replies are real but for one
//! number.

use mongoferry_protocol::Severity;
use mongoferry_testbed::ReplicaSet;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::outcome::{Outcome, only_error, passed, troubles, troubles_of};

/// An element of a reply: its type and name, as BSON has them before the eight bytes of the value.
type Element = &'static [u8];
type Alteration = fn([u8; 8]) -> [u8; 8];

const AHEAD_MS: i64 = 3_600_000;

/// Passes everything on; the connection string.
async fn altering(set: &ReplicaSet, element: Element, alter: Alteration) -> String {
    let upstream = set.member_port(0);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("bound").port();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(pass_on(client, upstream, element, alter));
        }
    });
    format!("mongodb://127.0.0.1:{port}/?directConnection=true")
}

async fn pass_on(client: TcpStream, upstream: u16, element: Element, alter: Alteration) -> std::io::Result<()> {
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
        if let Some(at) = message.windows(element.len()).position(|window| window == element) {
            let value = &mut message[at + element.len()..][..8];
            let altered = alter(<[u8; 8]>::try_from(&*value).expect("eight bytes"));
            value.copy_from_slice(&altered);
        }
        to_client.write_all(&message).await?;
    }
}

async fn two() -> (ReplicaSet, ReplicaSet) {
    tokio::try_join!(ReplicaSet::single(), ReplicaSet::single()).expect("two replica sets")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_runs_ahead_is_noticed() {
    let (source, destination) = two().await;
    let ahead: Alteration = |time| (i64::from_le_bytes(time) + AHEAD_MS).to_le_bytes();
    let uri = altering(&source, b"\x09localTime\0", ahead).await;
    let (code, report) = Outcome::json(&uri, &destination.uri()).await;
    assert_eq!(code, 0, "{report:#?}");
    let warnings = troubles_of(&report, "MF-V22");
    assert!(warnings.iter().any(|warning| warning.check.contains("source")), "{warnings:#?}");
    assert!(warnings[0].found.contains("ahead") && warnings[0].remedy.contains("NTP"), "{warnings:#?}");
    assert!(report.findings.iter().any(|finding| finding.check == "destination: clock"), "{report:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_an_error_and_an_unknown_one_a_warning() {
    let (source, destination) = two().await;
    let shop = source.client().await.expect("a client").database("shop");
    shop.collection("orders").insert_one(bson::doc! {"_id": 1}).await.expect("inserted");
    let full = altering(&destination, b"\x01fsUsedSize\0", |_| 1e18_f64.to_le_bytes()).await;
    let (code, report) = Outcome::json(&source.uri(), &full).await;
    let error = only_error(&report);
    assert_eq!((code, error.code.as_str()), (3, "MF-V13"));
    assert!(error.found.starts_with("0 B free, about ") && error.remedy.contains("at least"), "{error:#?}");

    let unknown = altering(&destination, b"\x01fsTotalSize\0", |_| 0_f64.to_le_bytes()).await;
    let (code, report) = Outcome::json(&source.uri(), &unknown).await;
    assert_eq!(code, 0, "{:#?}", troubles(&report));
    let warnings = troubles_of(&report, "MF-V13");
    assert!(warnings.len() == 1 && warnings[0].severity == Severity::Warning, "{report:#?}");
    assert!(warnings[0].found.contains("does not say how much is free"), "{warnings:#?}");

    let ample = altering(&destination, b"\x01fsUsedSize\0", |_| 0_f64.to_le_bytes()).await;
    let vast = altering(&destination, b"\x01fsTotalSize\0", |_| 1e18_f64.to_le_bytes()).await;
    for uri in [ample, vast] {
        let (_, report) = Outcome::json(&source.uri(), &uri).await;
        assert!(passed(&report, "MF-V13").contains("free, about"), "{report:#?}");
    }
}
