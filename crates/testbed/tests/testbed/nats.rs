//! GIVEN a real nats-server WHEN it is killed and started again THEN port, credentials and store are the same.

use std::{fs, os::unix::fs::PermissionsExt};

use mongoferry_testbed::NatsServer;
use rustix::fs::{FlockOperation, flock};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};

/// Speaks NATS' text protocol, since the bus client is not this crate's to use. Returns the first reply to `commands`.
async fn say(server: &NatsServer, user: &str, password: &str, commands: &str) -> String {
    let stream = TcpStream::connect(("127.0.0.1", server.port())).await.unwrap();
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    stream.read_line(&mut line).await.unwrap();
    let connect = format!("CONNECT {{\"verbose\":false,\"user\":\"{user}\",\"pass\":\"{password}\"}}\r\n{commands}");
    stream.write_all(connect.as_bytes()).await.unwrap();
    let mut reply = String::new();
    loop {
        line.clear();
        if stream.read_line(&mut line).await.unwrap() == 0 {
            return reply;
        }
        reply += &line;
        if line.starts_with('{') || line.starts_with("PONG") || line.starts_with("-ERR") {
            return reply;
        }
    }
}

fn request(subject: &str, payload: &str) -> String {
    format!("SUB answer 1\r\nPUB {subject} answer {}\r\n{payload}\r\n", payload.len())
}

#[tokio::test]
async fn a_stream_outlives_kill_and_restart() {
    let mut server = NatsServer::builder()
        .credentials("ferry", "s3cret \"quoted\\")
        .monitoring()
        .max_file_store_bytes(64 << 20)
        .start()
        .await
        .unwrap();
    assert!(!server.url().contains("s3cret"));
    let password = "s3cret \\\"quoted\\\\";
    assert!(say(&server, "ferry", "guess", "PING\r\n").await.contains("Authorization Violation"));
    assert!(say(&server, "ferry", password, "PING\r\n").await.contains("PONG"));
    let create = request("$JS.API.STREAM.CREATE.kept", r#"{"name":"kept","subjects":["kept.>"],"storage":"file"}"#);
    assert!(say(&server, "ferry", password, &create).await.contains("stream_create_response"));
    assert!(say(&server, "ferry", password, &request("kept.one", "first")).await.contains(r#""seq":1"#));

    let (pid, port) = (server.pid(), server.port());
    assert!(server.try_wait().unwrap().is_none());
    server.kill();
    assert!(server.try_wait().unwrap().is_some());
    server.restart().await.unwrap();

    assert_ne!(server.pid(), pid);
    assert_eq!(server.port(), port);
    assert!(say(&server, "ferry", password, &request("kept.two", "second")).await.contains(r#""seq":2"#));
    let config = fs::metadata(server.state_dir().join("nats-server.conf")).unwrap();
    assert_eq!(config.permissions().mode() & 0o777, 0o600);
    let state_dir = server.state_dir().to_owned();
    server.stop().await;
    assert!(!state_dir.exists());
}

#[tokio::test]
async fn a_given_directory_stays_and_its_lock_lasts_as_long_as_the_server() {
    let directory = tempfile::tempdir().unwrap();
    let state_dir = directory.path().join("bus");
    let lock_path = directory.path().join("lock");
    let lock = fs::File::create(&lock_path).unwrap();
    flock(&lock, FlockOperation::NonBlockingLockExclusive).unwrap();

    let server = NatsServer::builder().state_dir(&state_dir).stdin(lock).start().await.unwrap();
    let other = fs::File::open(&lock_path).unwrap();
    assert!(flock(&other, FlockOperation::NonBlockingLockExclusive).is_err());
    assert_eq!(fs::metadata(&state_dir).unwrap().permissions().mode() & 0o777, 0o700);

    server.stop().await;
    flock(&other, FlockOperation::NonBlockingLockExclusive).unwrap();
    assert!(state_dir.join("jetstream").exists());
}

#[tokio::test]
async fn a_port_in_use_is_told_with_the_servers_own_words() {
    let first = NatsServer::builder().start().await.unwrap();
    let second = NatsServer::builder().port(first.port()).start().await;
    let error = second.err().unwrap().to_string();
    assert!(error.contains("already in use"), "{error}");
}
