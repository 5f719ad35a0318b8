use std::{path::Path, process::Command};

use mongoferry_tests::binary;

/// The block in the README between ```text and ``` that begins with `$ mongoferry migrate -h`.
const BEGIN: &str = "```text\n$ mongoferry migrate -h\n";

/// GIVEN the README's copy of `mongoferry migrate -h` THEN it is what the command prints. `UPDATE=1` rewrites it.
#[test]
fn the_readme_shows_what_the_command_says() {
    let help = Command::new(binary("mongoferry")).args(["migrate", "-h"]).env("COLUMNS", "100").output();
    let help = String::from_utf8(help.expect("mongoferry starts").stdout).expect("help is text");
    let help: String = help.lines().map(|line| format!("{}\n", line.trim_end())).collect();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let readme = std::fs::read_to_string(&path).expect("there is a README");
    let (before, rest) = readme.split_once(BEGIN).expect("the README has the block");
    let (shown, after) = rest.split_once("```").expect("the block ends");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, format!("{before}{BEGIN}{help}```{after}")).expect("the README is written");
    } else {
        assert_eq!(shown, help, "UPDATE=1 rewrites the README");
    }
}

#[test]
fn every_subcommand_and_binary_has_help() {
    for subcommand in ["demo", "migrate", "validate", "status", "pause", "resume", "cutover", "cancel", "report"] {
        let help = Command::new(binary("mongoferry")).args([subcommand, "--help"]).output().expect("mongoferry starts");
        assert!(help.status.success() && !help.stdout.is_empty(), "{subcommand}");
    }
    for role in ["validator", "oplog-tailer", "copier", "indexer", "applier", "verifier", "cutover-coordinator"] {
        let help = Command::new(binary(&format!("mongoferry-{role}"))).arg("--help").output();
        let help = help.expect("the binary starts");
        assert!(help.status.success() && !help.stdout.is_empty(), "{role}");
    }
}
