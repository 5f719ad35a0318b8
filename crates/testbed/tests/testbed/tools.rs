//! GIVEN binaries that do not fit WHEN a tool is looked for THEN the error names the binary and every way out.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::{Child, Command, Stdio},
};

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

const WANTED: &str = "MONGOFERRY_TEST_WANTED";

/// Not a test of its own: what runs in processes whose environment the tests below choose. It prints what it found.
#[tokio::test]
async fn finds_for_the_tests_below() {
    let wanted = match std::env::var(WANTED).as_deref() {
        Ok("any") => Mongod::Any,
        Ok("4.2.6") => Mongod::Version(MongodVersion::V4_2_6),
        _ => return,
    };
    match find_mongod(wanted).await {
        Ok(located) => println!("found {} {:?}", located.version, located.passed_over),
        Err(error) => println!("failed {} {error}", error.code()),
    }
}

fn search(wanted: &str, variables: &[(&str, &str)]) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "tools::finds_for_the_tests_below", "--nocapture"])
        .env(WANTED, wanted)
        .env_remove("MONGOFERRY_MONGOD")
        .envs(variables.iter().copied())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

fn outcome(child: Child) -> String {
    let output = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    let found = output.lines().find_map(|line| Some(line[line.find("found ").or(line.find("failed "))?..].to_owned()));
    found.unwrap_or(output)
}

#[test]
fn a_binary_that_does_not_fit_is_passed_over_and_named() {
    let directory = tempfile::tempdir().unwrap();
    let old = script(&directory, "old", "echo 'db version v4.0.28'").display().to_string();
    let outcome = outcome(search("any", &[("MONGOFERRY_MONGOD", &old)]));
    assert!(outcome.starts_with("found ") && outcome.contains(&old) && outcome.contains("4.0.28"), "{outcome}");
}

#[test]
fn an_empty_cache_is_filled_once_by_several_processes() {
    let cache = tempfile::tempdir().unwrap();
    let variables = [("MONGOFERRY_TOOLS", cache.path().to_str().unwrap())];
    let searches: Vec<Child> = (0..3).map(|_| search("4.2.6", &variables)).collect();
    for child in searches {
        assert_eq!(outcome(child), "found 4.2.6 []");
    }
    let mut entries: Vec<String> =
        fs::read_dir(cache.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    entries.sort();
    assert_eq!(entries, [".libssl1.1.lock", ".mongod-4.2.6.lock", "libssl1.1", "mongod-4.2.6"]);
}

#[test]
fn where_nothing_can_be_had_every_attempt_is_named() {
    let empty = tempfile::tempdir().unwrap();
    let path = empty.path().to_str().unwrap();
    let outcome = outcome(search("any", &[("PATH", path), ("MONGOFERRY_TOOLS", path)]));
    assert!(outcome.starts_with("failed MF-TOOLS-1 "), "{outcome}");
    assert!(outcome.contains("MONGOFERRY_MONGOD") && outcome.contains("python3"), "{outcome}");
}
