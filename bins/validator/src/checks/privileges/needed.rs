//! Which actions the migration takes where, and what is lost without those that it can do without.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    Cluster,
    /// `local.oplog.rs`.
    Oplog,
    /// Every database due.
    Databases,
    /// Every collection and view due.
    Collections,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Needed {
    pub(super) action: &'static str,
    pub(super) scope: Scope,
}

pub(super) struct Optional {
    pub(super) needed: Needed,
    pub(super) feature: &'static str,
    /// The first server version that knows the action.
    pub(super) since: (u32, u32),
}

const fn on(scope: Scope, action: &'static str) -> Needed {
    Needed { action, scope }
}

pub(super) static SOURCE: [Needed; 7] = [
    on(Scope::Cluster, "listDatabases"),
    // Collections are read by their UUIDs, so that a rename does not lead astray.
    on(Scope::Cluster, "useUUID"),
    on(Scope::Oplog, "find"),
    on(Scope::Databases, "listCollections"),
    on(Scope::Databases, "dbStats"),
    on(Scope::Collections, "find"),
    on(Scope::Collections, "listIndexes"),
];

pub(super) static OPTIONAL_ON_SOURCE: [Optional; 5] = [
    Optional {
        needed: on(Scope::Cluster, "appendOplogNote"),
        feature: "at the cutover, a note in the source's oplog that marks where its writes end; its last entry is taken \
                  instead",
        since: (4, 2),
    },
    Optional {
        needed: on(Scope::Cluster, "replSetGetStatus"),
        feature: "the look at the members' state, elections and lag (MF-V24)",
        since: (4, 2),
    },
    Optional {
        needed: on(Scope::Cluster, "getParameter"),
        feature: "the comparison of the feature compatibility version with the binary's (MF-V09)",
        since: (4, 2),
    },
    Optional {
        needed: on(Scope::Cluster, "serverStatus"),
        feature: "the look at the storage engine and at a write block",
        since: (4, 2),
    },
    Optional {
        needed: on(Scope::Cluster, "setUserWriteBlockMode"),
        feature: "blocking the source's writes at the cutover by this user; stop the applications, or block the writes as \
                  another user",
        since: (6, 0),
    },
];

pub(super) static DESTINATION: [Needed; 16] = [
    on(Scope::Cluster, "listDatabases"),
    on(Scope::Databases, "listCollections"),
    on(Scope::Databases, "dropDatabase"),
    on(Scope::Databases, "dbStats"),
    on(Scope::Collections, "find"),
    on(Scope::Collections, "insert"),
    on(Scope::Collections, "update"),
    on(Scope::Collections, "remove"),
    on(Scope::Collections, "bypassDocumentValidation"),
    on(Scope::Collections, "createCollection"),
    on(Scope::Collections, "createIndex"),
    on(Scope::Collections, "collMod"),
    on(Scope::Collections, "dropCollection"),
    on(Scope::Collections, "dropIndex"),
    on(Scope::Databases, "renameCollectionSameDB"),
    on(Scope::Collections, "listIndexes"),
];
