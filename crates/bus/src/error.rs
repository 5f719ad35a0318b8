//! What can go wrong between a stage and the bus.

use async_nats::jetstream::{
    ErrorCode,
    context::{AccountError, AccountErrorKind},
};
use mongoferry_protocol::{CodecError, Explain, Retry};

type Cause = Box<dyn std::error::Error + Send + Sync>;

#[derive(Debug, thiserror::Error)]
pub enum BusError {
    #[error("the bus at {url} is not reachable")]
    Unreachable {
        url: String,
        #[source]
        cause: Cause,
    },
    #[error("the bus at {url} refused the credentials")]
    Refused { url: String },
    #[error("NATS credentials file {path} is not usable")]
    Credentials {
        path: String,
        #[source]
        cause: Cause,
    },
    #[error("the bus at {url} has no JetStream for this account")]
    NoJetStream {
        url: String,
        #[source]
        cause: Cause,
    },
    #[error("the bus did not carry out: {action}")]
    Failed {
        action: &'static str,
        #[source]
        cause: Cause,
    },
    #[error("the bus's store is full; oplog batches wait")]
    StoreFull {
        #[source]
        cause: Cause,
    },
    #[error("another oplog-tailer wrote to the stream of oplog batches")]
    AnotherPublisher,
    #[error("the chain of oplog batches is broken: after {expected} came a batch that follows {found}")]
    BrokenChain { expected: String, found: String },
    #[error("the stream of oplog batches begins at sequence {first}, behind the wanted {wanted}")]
    BatchesGone { wanted: u64, first: u64 },
    #[error("a lease was lost: {name}")]
    LeaseLost { name: String },
    #[error("parts of the record {key} are missing from the bus")]
    PartsGone { key: String },
    #[error(transparent)]
    Codec(#[from] CodecError),
}

impl BusError {
    /// Only what says so means that there is no JetStream: several servers that choose a leader keep silent for a while, or say that
    /// they have none (10008).
    pub(crate) fn no_account(url: &str, cause: AccountError) -> Self {
        let has_none = match cause.kind() {
            AccountErrorKind::TimedOut => false,
            AccountErrorKind::JetStream(error) => {
                matches!(
                    error.error_code(),
                    ErrorCode::JETSTREAM_NOT_ENABLED | ErrorCode::JETSTREAM_NOT_ENABLED_FOR_ACCOUNT
                )
            }
            AccountErrorKind::JetStreamUnavailable | AccountErrorKind::Other => true,
        };
        match has_none {
            true => Self::NoJetStream { url: url.to_owned(), cause: cause.into() },
            false => Self::failed("look for JetStream", cause),
        }
    }

    pub(crate) fn failed(action: &'static str, cause: impl Into<Cause>) -> Self {
        Self::Failed { action, cause: cause.into() }
    }
}

impl Explain for BusError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } => "MF-BUS-1",
            Self::Refused { .. } => "MF-BUS-2",
            Self::Credentials { .. } => "MF-BUS-3",
            Self::NoJetStream { .. } => "MF-BUS-4",
            Self::Failed { .. } => "MF-BUS-5",
            Self::StoreFull { .. } => "MF-BUS-6",
            Self::AnotherPublisher => "MF-BUS-7",
            Self::BrokenChain { .. } => "MF-BUS-8",
            Self::BatchesGone { .. } => "MF-BUS-9",
            Self::LeaseLost { .. } => "MF-BUS-10",
            Self::PartsGone { .. } => "MF-BUS-11",
            Self::Codec(error) => error.code(),
        }
    }

    fn hint(&self) -> String {
        match self {
            Self::Unreachable { .. } => {
                "Check that nats-server runs there and that no firewall stands between. Nothing is \
                lost: the migration continues when the bus answers."
                    .into()
            }
            Self::Refused { .. } => "Check --nats-user and MONGOFERRY_NATS_PASSWORD, or --nats-credentials, against \
                nats-server's configuration."
                .into(),
            Self::Credentials { path, .. } => {
                format!("Check that {path} exists, is readable and is a NATS credentials file.")
            }
            Self::NoJetStream { .. } => {
                "Start nats-server with JetStream: `jetstream { store_dir: … }` in nats.conf, and \
                enable it for this account."
                    .into()
            }
            Self::Failed { .. } => {
                "Look at nats-server's log. Nothing is lost: the process starts again and continues from \
                its last checkpoint."
                    .into()
            }
            Self::StoreFull { .. } => {
                "Give the bus more room: free disk under its store_dir, or raise max_file_store in \
                nats.conf. Capture waits and nothing is lost while the source's oplog still reaches back."
                    .into()
            }
            Self::AnotherPublisher => "Nothing to do: one of the two goes on where the stream ends.".into(),
            Self::BrokenChain { .. } | Self::BatchesGone { .. } => {
                "Oplog batches that were not applied yet are missing from \
                the bus, so changes were lost. Begin this migration anew, and find out who purged the stream."
                    .into()
            }
            Self::LeaseLost { .. } => "Nothing to do: another process took over, this one stands by.".into(),
            Self::PartsGone { .. } => {
                "Somebody removed messages from the bucket of the migration, or its store was damaged. Restore the \
                bus from a backup of the same moment, or cancel this migration and begin a new one."
                    .into()
            }
            Self::Codec(error) => error.hint(),
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Unreachable { .. }
            | Self::Failed { .. }
            | Self::StoreFull { .. }
            | Self::AnotherPublisher
            | Self::LeaseLost { .. } => Retry::Soon,
            Self::Refused { .. } | Self::Credentials { .. } | Self::NoJetStream { .. } => Retry::AfterFix,
            Self::BrokenChain { .. } | Self::BatchesGone { .. } | Self::PartsGone { .. } => Retry::Never,
            Self::Codec(error) => error.retry(),
        }
    }
}
