//! What ends an applier, beyond what its destination may say of itself.

use mongoferry_protocol::{Explain, Retry};

use crate::error::MongoError;

#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    #[error(transparent)]
    Destination(#[from] MongoError),
    #[error("another applier took over on {cluster}; term {term} has ended")]
    StaleTerm { cluster: String, term: i64 },
    #[error("the source must be read to apply some of its updates exactly, but its connection string was not given")]
    SourceNeeded,
    #[error("{cluster} holds the records of another migration: {found}")]
    OtherMigration { cluster: String, found: String },
    #[error("the applier's records on {cluster} are incomplete: {detail}")]
    RecordsDamaged { cluster: String, detail: String },
    #[error("{namespace} on {cluster} is no longer the collection that was migrated")]
    CollectionReplaced { cluster: String, namespace: String },
}

impl Explain for ApplyError {
    fn code(&self) -> &'static str {
        match self {
            Self::Destination(error) => error.code(),
            Self::StaleTerm { .. } => "MF-APPLY-1",
            Self::SourceNeeded => "MF-APPLY-2",
            Self::OtherMigration { .. } => "MF-APPLY-3",
            Self::RecordsDamaged { .. } => "MF-APPLY-4",
            Self::CollectionReplaced { .. } => "MF-APPLY-5",
        }
    }

    fn hint(&self) -> String {
        match self {
            Self::Destination(error) => error.hint(),
            Self::StaleTerm { .. } => "Nothing to do: the other one goes on, and this one stands by.".into(),
            Self::SourceNeeded => "Give the applier the source's connection string, with --source-uri-file or \
                MONGOFERRY_SOURCE, for a user who may read every database there and has the role clusterMonitor."
                .into(),
            Self::OtherMigration { .. } => "If that migration is over, drop the database `mongoferry` on the \
                destination and start again with empty user databases; if not, use another destination."
                .into(),
            Self::RecordsDamaged { .. } => {
                "Something changed the database `mongoferry` on the destination. Cancel the \
                migration with `mongoferry cancel` and begin a new one."
                    .into()
            }
            Self::CollectionReplaced { .. } => "Something besides mongoferry dropped or renamed collections on the \
                destination. Cancel the migration with `mongoferry cancel`, empty the destination and begin a new one."
                .into(),
        }
    }

    fn retry(&self) -> Retry {
        match self {
            // Only an index prepared for a cutover that is being taken back refuses a change, and not for long.
            Self::Destination(MongoError::DuplicateKey { .. }) => Retry::Soon,
            Self::Destination(error) => error.retry(),
            Self::StaleTerm { .. } => Retry::Soon,
            Self::SourceNeeded | Self::OtherMigration { .. } => Retry::AfterFix,
            Self::RecordsDamaged { .. } | Self::CollectionReplaced { .. } => Retry::Never,
        }
    }
}
