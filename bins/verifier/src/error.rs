//! What can keep the verifier from its verdict. A difference is none of these.

use mongoferry_bus::BusError;
use mongoferry_mongo::MongoError;
use mongoferry_oplog::OplogError;
use mongoferry_protocol::{Explain, Namespace, Retry};

#[derive(Debug, thiserror::Error)]
pub enum VerifierError {
    #[error(transparent)]
    Bus(#[from] BusError),
    #[error(transparent)]
    Mongo(#[from] MongoError),
    #[error(transparent)]
    Oplog(#[from] OplogError),
    #[error("{namespace} holds a document without a readable _id")]
    WithoutId { namespace: Namespace },
    #[error("the options or indexes that a cluster lists are not readable")]
    Unreadable {
        #[source]
        cause: bson::error::Error,
    },
}

impl Explain for VerifierError {
    fn code(&self) -> &'static str {
        match self {
            Self::Bus(error) => error.code(),
            Self::Mongo(error) => error.code(),
            Self::Oplog(error) => error.code(),
            Self::WithoutId { .. } => "MF-VERIFY-1",
            Self::Unreadable { .. } => "MF-VERIFY-2",
        }
    }

    fn hint(&self) -> String {
        match self {
            Self::Bus(error) => error.hint(),
            Self::Mongo(error) => error.hint(),
            Self::Oplog(error) => error.hint(),
            Self::WithoutId { namespace } => format!(
                "Run validate({{full: true}}) on {namespace} of both clusters: a document there is damaged. Repair or \
                delete it, then cut over again."
            ),
            Self::Unreadable { .. } => {
                "Look for names that are not UTF-8 in the options and indexes of both clusters' \
                collections, remove them and cut over again."
                    .into()
            }
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Bus(error) => error.retry(),
            Self::Mongo(error) => error.retry(),
            Self::Oplog(error) => error.retry(),
            Self::WithoutId { .. } | Self::Unreadable { .. } => Retry::AfterFix,
        }
    }
}

impl VerifierError {
    /// What was followed so far can't be followed on.
    pub(crate) fn loses_the_thread(&self) -> bool {
        match self {
            Self::Bus(error) => matches!(error, BusError::BatchesGone { .. } | BusError::BrokenChain { .. }),
            Self::Mongo(error) => matches!(error, MongoError::RolledOff { .. } | MongoError::OtherHistory { .. }),
            Self::Oplog(_) | Self::WithoutId { .. } | Self::Unreadable { .. } => false,
        }
    }

    /// Without the right to read the destination's oplog, for one, nothing can be followed there.
    pub(crate) fn is_a_missing_right(&self) -> bool {
        matches!(self, Self::Mongo(MongoError::Unauthorized { .. }))
    }
}
