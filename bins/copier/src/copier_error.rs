//! What can end an item of the copier.

use mongoferry_bus::BusError;
use mongoferry_mongo::MongoError;
use mongoferry_protocol::{CollectionUuid, Explain, Retry};

#[derive(Debug, thiserror::Error)]
pub enum CopierError {
    #[error(transparent)]
    Bus(#[from] BusError),
    #[error(transparent)]
    Cluster(#[from] MongoError),
    #[error("the plan of collection {collection} is missing or not readable")]
    NoPlan { collection: CollectionUuid },
    /// Another copier has the range now, or may have it: nothing more is written here.
    #[error("range {number} of collection {collection} went to another copier")]
    RangeLost { collection: CollectionUuid, number: u32 },
    /// The process is to end, or the phase has changed.
    #[error("range {number} of collection {collection} was interrupted")]
    Interrupted { collection: CollectionUuid, number: u32 },
}

impl Explain for CopierError {
    fn code(&self) -> &'static str {
        match self {
            Self::Bus(error) => error.code(),
            Self::Cluster(error) => error.code(),
            Self::NoPlan { .. } => "MF-COPY-1",
            Self::RangeLost { .. } => "MF-COPY-2",
            Self::Interrupted { .. } => "MF-COPY-3",
        }
    }

    fn hint(&self) -> String {
        match self {
            Self::Bus(error) => error.hint(),
            Self::Cluster(error) => error.hint(),
            Self::NoPlan { .. } => {
                "The bus's store is damaged, or something else writes to it. Keep the state directory \
                and report it; the migration has to begin anew."
                    .into()
            }
            Self::RangeLost { .. } => "Nothing to do: the other copier copies it.".into(),
            Self::Interrupted { .. } => "Nothing to do: it goes on behind the last document that was written.".into(),
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Bus(error) => error.retry(),
            Self::Cluster(error) => error.retry(),
            Self::NoPlan { .. } => Retry::Never,
            // Not to be tried again here; the queue gives the range to whoever takes it next.
            Self::RangeLost { .. } | Self::Interrupted { .. } => Retry::AfterFix,
        }
    }
}
