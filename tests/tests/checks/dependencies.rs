use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
};

use serde_json::Value;

/// Direct dependencies of every package of the workspace, without those of its tests.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo).args(["metadata", "--format-version=1", "--no-deps", "--locked"]).output();
    let metadata: Value = serde_json::from_slice(&output.expect("cargo runs").stdout).expect("cargo answers JSON");
    let packages = metadata["packages"].as_array().expect("packages are listed");
    let name = |value: &Value| value["name"].as_str().expect("has a name").to_owned();
    let own = |package: &Value| {
        let all = package["dependencies"].as_array().expect("dependencies are listed");
        all.iter().filter(|dependency| dependency["kind"].is_null()).map(name).collect()
    };
    packages.iter().map(|package| (name(package), own(package))).collect()
}

fn users_of(library: &str) -> Vec<String> {
    let users = dependencies().into_iter().filter(|(_, needs)| needs.contains(library));
    users.map(|(package, _)| package).collect()
}

#[test]
fn the_outside_world_is_known_in_one_place_each() {
    // The testbed and the tests play the user's own application, so they have a driver of their own.
    assert_eq!(users_of("mongodb"), ["mongoferry-mongo", "mongoferry-testbed", "mongoferry-tests"]);
    assert_eq!(users_of("async-nats"), ["mongoferry-bus"]);
}

#[test]
fn the_core_does_no_input_or_output() {
    let all = dependencies();
    for package in ["mongoferry-protocol", "mongoferry-oplog"] {
        let doers = ["tokio", "mongodb", "async-nats", "axum", "reqwest", "mongoferry-mongo", "mongoferry-bus"];
        let found: Vec<_> = doers.iter().filter(|doer| all[package].contains(**doer)).collect();
        assert!(found.is_empty(), "{package} depends on {found:?}");
    }
}

#[test]
fn nobody_depends_on_a_binary() {
    let crates = ["protocol", "oplog", "mongo", "bus", "stage", "testbed"].map(|name| format!("mongoferry-{name}"));
    for (package, needs) in dependencies() {
        let own: Vec<_> = needs.iter().filter(|need| need.starts_with("mongoferry")).collect();
        assert!(own.iter().all(|need| crates.contains(need)), "{package} depends on {own:?}");
    }
}
