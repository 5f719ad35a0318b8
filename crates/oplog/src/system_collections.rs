//! What becomes of entries on the collections that the server keeps in a user's database.

/// Decided by the collection's name alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Policy {
    /// An ordinary collection.
    Migrate,
    /// Needs nothing: views are taken from the source's listing at the end, a profile belongs to its server.
    Ignore,
    Refuse(&'static str),
}

pub(crate) fn policy(collection: &str) -> Policy {
    match collection {
        "system.views" | "system.profile" => Policy::Ignore,
        "system.js" => Policy::Migrate,
        _ if collection.starts_with("system.buckets.") => Policy::Migrate,
        _ if collection.starts_with("mongoferry.") => {
            Policy::Refuse("the name is one under which mongoferry keeps collections aside on the destination")
        }
        _ if collection.starts_with("system.") => Policy::Refuse("system collections can't be migrated"),
        _ => Policy::Migrate,
    }
}
