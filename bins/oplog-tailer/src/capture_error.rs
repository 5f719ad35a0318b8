//! What can end a capture.

use mongoferry_bus::BusError;
use mongoferry_mongo::MongoError;
use mongoferry_oplog::OplogError;
use mongoferry_protocol::{Explain, Retry};

#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    #[error(transparent)]
    Bus(#[from] BusError),
    #[error(transparent)]
    Source(#[from] MongoError),
    #[error(transparent)]
    Entry(#[from] OplogError),
}

impl CaptureError {
    fn inner(&self) -> &dyn Explain {
        match self {
            Self::Bus(error) => error,
            Self::Source(error) => error,
            Self::Entry(error) => error,
        }
    }
}

impl Explain for CaptureError {
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
