//! Every check by its code: what the documentation's table is compared with.

use std::fmt::Write;

/// Codes are stable: a check that ends leaves its code unused.
pub const CHECKS: &[(&str, &str)] = &[
    ("MF-V01", "host names resolve, those of SRV records too"),
    ("MF-V02", "every host accepts connections and answers as a mongod"),
    ("MF-V03", "TLS where it is asked for and required; certificates trusted, valid, for the right name"),
    ("MF-V04", "certificate files of the connection string are there, readable, whole"),
    ("MF-V05", "user, password and mechanism are right"),
    ("MF-V06", "every privilege needed, and what is lost without the optional ones"),
    ("MF-V07", "the source is a replica set"),
    ("MF-V08", "the destination is a replica set whose primary takes writes"),
    ("MF-V09", "versions on a supported path, feature compatibility versions, the stage that replays updates"),
    ("MF-V10", "source and destination are two clusters, and those the migration began with"),
    ("MF-V11", "the source's oplog is readable and not empty"),
    ("MF-V12", "the source's oplog reaches back far enough"),
    ("MF-V13", "the destination's disk has room"),
    ("MF-V14", "no namespace exists on both sides"),
    ("MF-V15", "the destination can build every index"),
    ("MF-V16", "TTL indexes, held back until the cutover"),
    ("MF-V17", "collections that can't be migrated, each with the reason"),
    ("MF-V18", "kinds of collections, counted; those that this version or the destination's lacks"),
    ("MF-V19", "field names that the destination's version would refuse"),
    ("MF-V20", "users and roles, which are not copied"),
    ("MF-V21", "the bus answers, has JetStream, and room for the oplog"),
    ("MF-V22", "the clocks of source, destination and this machine agree"),
    ("MF-V23", "nobody else writes on the destination"),
    ("MF-V24", "members are up, a majority votes, none lags, no recent election"),
    ("MF-V25", "connections to other machines are encrypted"),
    ("MF-V26", "no other migration on this destination, nor its remains"),
];

/// The table in Markdown.
pub(crate) fn markdown() -> String {
    let mut text = String::from("| code | check |\n|---|---|\n");
    for (code, what) in CHECKS {
        // Writing to a string does not fail.
        let _ = writeln!(text, "| {code} | {what} |");
    }
    text
}
