use std::{path::Path, process::Command};

use mongoferry_tests::binary;

/// How the table of checks begins in the README.
const BEGIN: &str = "| code | at worst | check |\n";

/// GIVEN the README's table of checks THEN it is what the validator lists. `UPDATE=1` rewrites it.
#[test]
fn the_readme_lists_the_checks() {
    let listed = Command::new(binary("mongoferry-validator")).arg("--list-checks").output().expect("it starts");
    let listed = String::from_utf8(listed.stdout).expect("is text");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let readme = std::fs::read_to_string(&path).expect("there is a README");
    let (before, rest) = readme.split_once(BEGIN).expect("the README has the table");
    let end = rest.find("\n\n").expect("the table ends") + 1;
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, format!("{before}{listed}{}", &rest[end..])).expect("the README is written");
    } else {
        assert_eq!(format!("{BEGIN}{}", &rest[..end]), listed, "UPDATE=1 rewrites the README");
    }
}

#[test]
fn the_readme_stays_readable() {
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md")).expect("is there");
    assert!(readme.lines().count() <= 250, "{} lines", readme.lines().count());
}
