//! What can end an item of the indexer.

use mongoferry_bus::BusError;
use mongoferry_mongo::MongoError;
use mongoferry_protocol::{Explain, Retry};

#[derive(Debug, thiserror::Error)]
pub enum IndexerError {
    #[error(transparent)]
    Bus(#[from] BusError),
    #[error(transparent)]
    Cluster(#[from] MongoError),
    #[error("the plan of collection {collection} is not readable")]
    UnreadablePlan {
        collection: String,
        #[source]
        cause: bson::error::Error,
    },
}

/// Nothing is done again that is no longer ours to do.
pub fn unless_no_longer_ours<T, E: Into<IndexerError>>(result: Result<T, E>) -> Result<Option<T>, IndexerError> {
    match result.map_err(Into::into) {
        Ok(value) => Ok(Some(value)),
        Err(IndexerError::Cluster(MongoError::NoLongerOurs { .. })) => Ok(None),
        Err(error) => Err(error),
    }
}

impl Explain for IndexerError {
    fn code(&self) -> &'static str {
        match self {
            Self::Bus(error) => error.code(),
            Self::Cluster(error) => error.code(),
            Self::UnreadablePlan { .. } => "MF-INDEX-1",
        }
    }

    fn hint(&self) -> String {
        match self {
            Self::Bus(error) => error.hint(),
            Self::Cluster(error) => error.hint(),
            Self::UnreadablePlan { .. } => {
                "The bus's store is damaged, or something else writes to it. Keep the state \
                directory and report it; the migration has to begin anew."
                    .into()
            }
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Bus(error) => error.retry(),
            Self::Cluster(error) => error.retry(),
            Self::UnreadablePlan { .. } => Retry::Never,
        }
    }
}
