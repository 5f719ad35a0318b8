//! GIVEN binaries that do not fit WHEN a tool is looked for THEN the error names the binary and every way out.

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf};

use mongoferry_protocol::Explain;
use mongoferry_testbed::{
    Mongod, MongodVersion,
    tools::{find_mongod, find_nats_server},
};

fn script(directory: &tempfile::TempDir, name: &str, text: &str) -> PathBuf {
    let path = directory.path().join(name);
    fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[tokio::test]
async fn an_explicit_binary_must_fit() {
    let directory = tempfile::tempdir().unwrap();
    let old = script(&directory, "old", "echo 'db version v3.6.8'");
    let error = find_mongod(Mongod::At(old)).await.unwrap_err();
    assert_eq!((error.code(), error.to_string().contains("3.6.8")), ("MF-TOOLS-2", true), "{error}");
    for way in ["MONGOFERRY_MONGOD", "PATH", "MONGOFERRY_TOOLS", "pip"] {
        assert!(error.hint().contains(way), "{way}");
    }

    let linker = "echo \"$0: error while loading shared libraries: libcurl.so.4: cannot open\" >&2; exit 127";
    let unlinked = script(&directory, "unlinked", linker);
    let error = find_mongod(Mongod::At(unlinked)).await.unwrap_err();
    assert_eq!(error.code(), "MF-TOOLS-4");
    assert!(error.hint().contains("apt-get install libcurl4"), "{}", error.hint());

    let error = find_nats_server(Some(directory.path().join("absent"))).await.unwrap_err();
    assert_eq!(error.code(), "MF-TOOLS-3");
}

#[tokio::test]
async fn many_may_ask_at_once() {
    let found =
        futures_util::future::join_all((0..4).map(|_| find_mongod(Mongod::Version(MongodVersion::V6_0_5)))).await;
    for located in found {
        assert_eq!(located.unwrap().version.to_string(), "6.0.5");
    }
}
