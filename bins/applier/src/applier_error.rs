//! What can end an applier.

use mongoferry_bus::BusError;
use mongoferry_mongo::{ApplyError, MongoError};
use mongoferry_oplog::OplogError;
use mongoferry_protocol::{Explain, Retry};

#[derive(Debug, thiserror::Error)]
pub enum ApplierError {
    #[error(transparent)]
    Bus(#[from] BusError),
    #[error(transparent)]
    Destination(#[from] ApplyError),
    #[error(transparent)]
    Entry(#[from] OplogError),
}

impl From<MongoError> for ApplierError {
    fn from(error: MongoError) -> Self {
        Self::Destination(error.into())
    }
}

impl ApplierError {
    /// The migration's records on the destination are gone, as they are when it is over.
    pub fn tells_the_end(&self) -> bool {
        matches!(self, Self::Destination(ApplyError::RecordsDamaged { .. }))
    }

    /// Another applier took over, or what this one works by is gone: nothing may be written any more.
    pub fn ends_the_term(&self) -> bool {
        match self {
            Self::Bus(_) => true,
            Self::Destination(error) => {
                matches!(error, ApplyError::StaleTerm { .. } | ApplyError::RecordsDamaged { .. })
            }
            Self::Entry(_) => false,
        }
    }

    fn inner(&self) -> &dyn Explain {
        match self {
            Self::Bus(error) => error,
            Self::Destination(error) => error,
            Self::Entry(error) => error,
        }
    }
}

impl Explain for ApplierError {
    fn code(&self) -> &'static str {
        self.inner().code()
    }

    fn hint(&self) -> String {
        self.inner().hint()
    }

    fn retry(&self) -> Retry {
        self.inner().retry()
    }
}
