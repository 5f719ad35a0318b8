//! Every check by its code: what the documentation's table is compared with.

use std::fmt::Write;

use mongoferry_protocol::Severity::{self, Error, Info, Warning};

/// Code, the worst that a finding of it can be, and what is checked. Codes are stable: a check that ends leaves its code
/// unused.
pub const CHECKS: &[(&str, Severity, &str)] = &[
    ("MF-V01", Error, "host names resolve, those of SRV records too"),
    ("MF-V02", Error, "every host accepts connections and answers as a mongod"),
    ("MF-V03", Error, "TLS where it is asked for and required; certificates trusted, valid, for the right name"),
    ("MF-V04", Error, "certificate files of the connection string are there, readable, whole"),
    ("MF-V05", Error, "user, password and mechanism are right"),
    ("MF-V06", Error, "every privilege needed, and what is lost without the optional ones"),
    ("MF-V07", Error, "the source is a replica set"),
    ("MF-V08", Error, "the destination is a replica set whose primary takes writes"),
    ("MF-V09", Error, "versions on a supported path, feature compatibility versions, the stage that replays updates"),
    ("MF-V10", Error, "source and destination are two clusters, and those the migration began with"),
    ("MF-V11", Error, "the source's oplog is readable and not empty"),
    ("MF-V12", Warning, "the source's oplog reaches back far enough"),
    ("MF-V13", Error, "the destination's disk has room"),
    ("MF-V14", Error, "no namespace exists on both sides, unless it may be dropped"),
    ("MF-V15", Error, "the destination can build every index"),
    ("MF-V16", Info, "TTL indexes, held back until the cutover"),
    ("MF-V17", Error, "collections that can't be migrated, each with the reason"),
    ("MF-V18", Error, "kinds of collections, counted; those that the destination's version lacks"),
    ("MF-V19", Warning, "field names that the destination's version would refuse"),
    ("MF-V20", Warning, "users and roles, which are not copied"),
    ("MF-V21", Error, "the bus answers, has JetStream, and room for the oplog"),
    ("MF-V22", Warning, "the clocks of source, destination and this machine agree"),
    ("MF-V23", Warning, "nobody else writes on the destination"),
    ("MF-V24", Error, "members are up, a majority votes, none lags, no recent election"),
    ("MF-V25", Warning, "connections to other machines are encrypted"),
    ("MF-V26", Error, "no other migration on this destination, nor its remains"),
];

/// The worst that a finding of this code can be.
pub(crate) fn worst(code: &str) -> Option<Severity> {
    CHECKS.iter().find(|(known, _, _)| *known == code).map(|(_, worst, _)| *worst)
}

/// The table in Markdown.
pub(crate) fn markdown() -> String {
    let mut text = String::from("| code | at worst | check |\n|---|---|---|\n");
    for (code, worst, what) in CHECKS {
        let worst = match worst {
            Error => "error",
            Warning => "warning",
            Info => "info",
        };
        // Writing to a string does not fail.
        let _ = writeln!(text, "| {code} | {worst} | {what} |");
    }
    text
}
