//! Everything that can go wrong between mongoferry and a MongoDB cluster, by what a user could do about it.

use std::fmt;

use mongoferry_protocol::{Explain, Optime, Retry};

use crate::fault::{Fault, classify, classify_code, code_of};

/// What a server or the driver said, shortened; holds neither credentials nor documents beyond the server's own message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// The server's error code, if a server spoke.
    pub code: Option<i32>,
    pub message: String,
}

impl Cause {
    const LONGEST: usize = 600;

    pub(crate) fn of_driver(error: &mongodb::error::Error) -> Self {
        Self::new(code_of(error), &error.kind.to_string())
    }

    pub(crate) fn new(code: Option<i32>, message: &str) -> Self {
        let mut shortened: String = message.chars().take(Self::LONGEST).collect();
        if shortened.len() < message.len() {
            shortened.push('…');
        }
        Self { code, message: shortened }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Some(code) => write!(f, "{} (code {code})", self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for Cause {}

/// `cluster` is [`crate::Cluster::hosts_label`]; `what` names the command or object concerned.
#[derive(Clone, Debug, thiserror::Error)]
pub enum MongoError {
    #[error("connection string {uri:?} is malformed")]
    MalformedUri {
        /// Without user, password and options.
        uri: String,
        #[source]
        cause: Cause,
    },
    #[error("no suitable member of {cluster} answered")]
    Unreachable {
        cluster: String,
        #[source]
        cause: Cause,
    },
    #[error("{cluster} refused the user's authentication")]
    AuthenticationRefused {
        cluster: String,
        #[source]
        cause: Cause,
    },
    #[error("the user may not {what} on {cluster}")]
    Unauthorized {
        cluster: String,
        what: String,
        #[source]
        cause: Cause,
    },
    #[error("the collection of {what} is gone from {cluster}")]
    CollectionGone {
        cluster: String,
        what: String,
        #[source]
        cause: Cause,
    },
    #[error("the cursor of {what} on {cluster} was closed by the server")]
    CursorLost {
        cluster: String,
        what: String,
        #[source]
        cause: Cause,
    },
    #[error("{cluster} interrupted {what}: an election, a shutdown or a broken connection")]
    Interrupted {
        cluster: String,
        what: String,
        #[source]
        cause: Cause,
    },
    #[error("{cluster} aborted the transaction of {what}")]
    TransactionAborted {
        cluster: String,
        what: String,
        #[source]
        cause: Cause,
    },
    #[error("{what} on {cluster} met a document with the same key")]
    DuplicateKey {
        cluster: String,
        what: String,
        #[source]
        cause: Cause,
    },
    #[error("the disk of {cluster} is full")]
    DiskFull {
        cluster: String,
        #[source]
        cause: Cause,
    },
    #[error("writes are blocked on {cluster}")]
    WriteBlocked {
        cluster: String,
        #[source]
        cause: Cause,
    },
    #[error("{cluster} refuses a document of {what} by the collection's validator")]
    DocumentRefused {
        cluster: String,
        what: String,
        #[source]
        cause: Cause,
    },
    #[error("{what} was not confirmed by a majority of {cluster}")]
    NotConfirmed {
        cluster: String,
        what: String,
        #[source]
        cause: Cause,
    },
    #[error("{what} failed on {cluster}")]
    Command {
        cluster: String,
        what: String,
        #[source]
        cause: Cause,
    },
    #[error("the reply of {cluster} to {what} has an unknown form: {detail}")]
    UnexpectedReply { cluster: String, what: String, detail: String },
    #[error("the oplog of {cluster} no longer holds {wanted}; its oldest entry is {oldest}")]
    RolledOff { cluster: String, wanted: Optime, oldest: Optime },
    #[error("the oplog of {cluster} reaches back before {wanted} but has no such entry")]
    OtherHistory { cluster: String, wanted: Optime },
    #[error("{namespace} exists on {cluster} with other options: {detail}")]
    CollectionDiffers { cluster: String, namespace: String, detail: String },
    #[error("{what} on {cluster} is no longer up to this process, and was not done")]
    NoLongerOurs { cluster: String, what: String },
}

impl MongoError {
    /// An error of the driver while doing `what` (such as `listCollections on shop`).
    pub(crate) fn of_driver(cluster: &str, what: &str, error: &mongodb::error::Error) -> Self {
        Self::of_fault(classify(error), cluster, what, Cause::of_driver(error))
    }

    /// A write error or write concern error inside a reply that is otherwise fine.
    pub(crate) fn of_code(cluster: &str, what: &str, code: i32, message: &str) -> Self {
        Self::of_fault(classify_code(code), cluster, what, Cause::new(Some(code), message))
    }

    fn of_fault(fault: Fault, cluster: &str, what: &str, cause: Cause) -> Self {
        let (cluster, what) = (cluster.to_owned(), what.to_owned());
        match fault {
            Fault::Unreachable => Self::Unreachable { cluster, cause },
            Fault::AuthenticationRefused => Self::AuthenticationRefused { cluster, cause },
            Fault::Unauthorized => Self::Unauthorized { cluster, what, cause },
            Fault::CollectionGone => Self::CollectionGone { cluster, what, cause },
            Fault::CursorLost => Self::CursorLost { cluster, what, cause },
            Fault::Interrupted => Self::Interrupted { cluster, what, cause },
            Fault::TransactionAborted => Self::TransactionAborted { cluster, what, cause },
            Fault::DuplicateKey => Self::DuplicateKey { cluster, what, cause },
            Fault::DiskFull => Self::DiskFull { cluster, cause },
            Fault::WriteBlocked => Self::WriteBlocked { cluster, cause },
            Fault::DocumentRefused => Self::DocumentRefused { cluster, what, cause },
            Fault::NotConfirmed => Self::NotConfirmed { cluster, what, cause },
            Fault::Other => Self::Command { cluster, what, cause },
        }
    }

    /// The connection broke behind a command: the server may be carrying it out still.
    pub fn leaves_open_what_became_of_it(&self) -> bool {
        matches!(self, Self::Interrupted { cause, .. } if cause.code.is_none())
    }

    /// The server's error code, if a server spoke.
    pub fn server_code(&self) -> Option<i32> {
        match self {
            Self::MalformedUri { cause, .. }
            | Self::Unreachable { cause, .. }
            | Self::AuthenticationRefused { cause, .. }
            | Self::Unauthorized { cause, .. }
            | Self::CollectionGone { cause, .. }
            | Self::CursorLost { cause, .. }
            | Self::Interrupted { cause, .. }
            | Self::TransactionAborted { cause, .. }
            | Self::DuplicateKey { cause, .. }
            | Self::DiskFull { cause, .. }
            | Self::WriteBlocked { cause, .. }
            | Self::DocumentRefused { cause, .. }
            | Self::NotConfirmed { cause, .. }
            | Self::Command { cause, .. } => cause.code,
            Self::UnexpectedReply { .. }
            | Self::RolledOff { .. }
            | Self::OtherHistory { .. }
            | Self::CollectionDiffers { .. }
            | Self::NoLongerOurs { .. } => None,
        }
    }
}

impl Explain for MongoError {
    fn code(&self) -> &'static str {
        match self {
            Self::MalformedUri { .. } => "MF-MONGO-1",
            Self::Unreachable { .. } => "MF-MONGO-2",
            Self::AuthenticationRefused { .. } => "MF-MONGO-3",
            Self::Unauthorized { .. } => "MF-MONGO-4",
            Self::CollectionGone { .. } => "MF-MONGO-5",
            Self::CursorLost { .. } => "MF-MONGO-6",
            Self::Interrupted { .. } => "MF-MONGO-7",
            Self::TransactionAborted { .. } => "MF-MONGO-8",
            Self::DuplicateKey { .. } => "MF-MONGO-9",
            Self::DiskFull { .. } => "MF-MONGO-10",
            Self::WriteBlocked { .. } => "MF-MONGO-11",
            Self::DocumentRefused { .. } => "MF-MONGO-12",
            Self::NotConfirmed { .. } => "MF-MONGO-13",
            Self::Command { .. } => "MF-MONGO-14",
            Self::UnexpectedReply { .. } => "MF-MONGO-15",
            Self::RolledOff { .. } => "MF-MONGO-16",
            Self::OtherHistory { .. } => "MF-MONGO-17",
            Self::CollectionDiffers { .. } => "MF-MONGO-18",
            Self::NoLongerOurs { .. } => "MF-MONGO-19",
        }
    }

    fn hint(&self) -> String {
        match self {
            Self::MalformedUri { .. } => {
                "Write it as mongodb://user:password@host1:27017,host2:27017/?replicaSet=name, \
                with the special characters of user and password percent-encoded."
                    .into()
            }
            Self::Unreachable { cluster, .. } => format!(
                "Check that {cluster} runs, has a primary and is reachable from here, and that the names in its \
                replica set configuration resolve here. With TLS, check the certificate authority. Nothing is lost."
            ),
            Self::AuthenticationRefused { .. } => {
                "Check user, password, authSource and authMechanism of the connection \
                string, and that the user has credentials for that mechanism. Once they are right on the cluster the migration goes \
                on by itself; with another connection string, stop it and start it again."
                    .into()
            }
            Self::Unauthorized { what, .. } => {
                format!("Grant the user the privilege to {what}; the README lists the roles each cluster needs. \
                The migration then goes on by itself.")
            }
            Self::CollectionGone { .. } => {
                "It was dropped under way; its oplog entries will tell the destination. If this \
                stops a migration, start it again."
                    .into()
            }
            Self::CursorLost { .. } => {
                "Nothing is lost: the reading begins again where it stood. If it happens all the \
                time, raise cursorTimeoutMillis on the server."
                    .into()
            }
            Self::Interrupted { .. } => {
                "This passes once the cluster has a primary again; the work is taken up where it \
                stood."
                    .into()
            }
            Self::TransactionAborted { .. } => {
                "The work of the transaction is done again. If it happens all the time, stop \
                whatever else writes to the destination."
                    .into()
            }
            Self::DuplicateKey { .. } => {
                "Something besides mongoferry writes to the destination, or a unique index was \
                created there. Remove it, empty the destination's databases and start again."
                    .into()
            }
            Self::DiskFull { cluster, .. } => {
                format!(
                    "Free or add disk space on {cluster}; the migration then goes on by itself where it stood."
                )
            }
            Self::WriteBlocked { cluster, .. } => format!(
                "Release the write block of {cluster} (setUserWriteBlockMode {{global: false}}), or grant the user \
                bypassWriteBlockingMode; the migration then goes on by itself."
            ),
            Self::DocumentRefused { .. } => {
                "Grant the user bypassDocumentValidation on the destination, or loosen the \
                validator, then start the migration again."
                    .into()
            }
            Self::NotConfirmed { cluster, .. } => format!(
                "Check that a majority of the members of {cluster} runs and replicates. Until then it is tried again."
            ),
            Self::Command { .. } => "The cause below is the server's own message. Mend what it names and start the \
                migration again; it goes on where it stood."
                .into(),
            Self::UnexpectedReply { .. } => {
                "Check that the server is a MongoDB replica set of a supported version, and \
                report this message."
                    .into()
            }
            Self::RolledOff { .. } => "Changes were lost, so the copy must start again. Enlarge the source's oplog \
                (replSetResizeOplog) until its window exceeds the copy time, then begin a new migration."
                .into(),
            Self::OtherHistory { cluster, .. } => format!(
                "Check that {cluster} is the cluster this migration began with and was not restored from a backup \
                since. If it was, begin a new migration."
            ),
            Self::CollectionDiffers { namespace, .. } => format!(
                "Something else created {namespace} on the destination. Drop it there, then start the migration again."
            ),
            Self::NoLongerOurs { .. } => {
                "Nothing to do: another process goes on with it, or it is not wanted any more.".into()
            }
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Unreachable { .. }
            | Self::CollectionGone { .. }
            | Self::CursorLost { .. }
            | Self::Interrupted { .. }
            | Self::TransactionAborted { .. }
            | Self::NotConfirmed { .. }
            | Self::NoLongerOurs { .. } => Retry::Soon,
            // An operator must act; then the work goes on by itself, for nothing is lost by waiting.
            Self::AuthenticationRefused { .. }
            | Self::Unauthorized { .. }
            | Self::DiskFull { .. }
            | Self::WriteBlocked { .. } => Retry::Soon,
            Self::MalformedUri { .. }
            | Self::DuplicateKey { .. }
            | Self::DocumentRefused { .. }
            | Self::Command { .. }
            | Self::CollectionDiffers { .. } => Retry::AfterFix,
            Self::UnexpectedReply { .. } | Self::RolledOff { .. } | Self::OtherHistory { .. } => Retry::Never,
        }
    }
}
