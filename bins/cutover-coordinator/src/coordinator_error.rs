//! What can end the coordinator, and what it refuses.

use mongoferry_bus::BusError;
use mongoferry_mongo::MongoError;
use mongoferry_protocol::{Explain, Optime, Phase, Retry};
use mongoferry_stage::DropArgsError;

#[derive(Debug, thiserror::Error)]
pub enum CoordinatorError {
    #[error(transparent)]
    Bus(#[from] BusError),
    #[error(transparent)]
    Cluster(#[from] MongoError),
    #[error(transparent)]
    DropArgs(#[from] DropArgsError),
    #[error("{namespace} is to be dropped from the destination, but this coordinator was not given leave for {set}")]
    DropUnconfirmed { namespace: String, set: String },
    #[error("{namespace} was to be dropped from the destination, but another one of that name stands there by now")]
    Replaced { namespace: String },
    #[error("another coordinator changed the phase")]
    AnotherLeader,
    #[error("this bus holds migration {id} of {known}, but the {which} given is {given}")]
    OtherCluster { id: String, which: &'static str, known: String, given: String },
    #[error("the destination belongs to migration {other}")]
    DestinationTaken { other: String },
    #[error("{namespace} can't be migrated by this version: {reason}")]
    NotMigratable { namespace: String, reason: String },
    #[error("the API can't listen on {address}")]
    Listen {
        address: std::net::SocketAddr,
        #[source]
        cause: std::io::Error,
    },
    #[error("the API would listen on {address} without a token")]
    OpenApi { address: std::net::SocketAddr },
    #[error("validation found errors: {summary}")]
    Validation { summary: String },
    #[error("source and destination are not equal: {summary}")]
    Different { summary: String },
    #[error("source and destination are not equal once indexes and views were finished: {summary}")]
    MetadataDifferent { summary: String },
    #[error("the source was written to after the cutover began: {change}; the destination has nothing of that")]
    SourceWrittenTo { change: String },
    #[error("indexes could not become what they are on the source: {summary}")]
    Finalization { summary: String },
    #[error("the destination can't build indexes of the source: {summary}")]
    MissingIndexes { summary: String },
    #[error("the writes of users on the source can't be blocked: {reason}")]
    CanNotBlock { reason: String },
    #[error("others may write to the destination before the commit: {reason}")]
    Unprotected { reason: String },
    #[error(
        "the source's oplog begins at {oldest} by now, and capturing ended at {captured}: the changes between are lost"
    )]
    OutOfReach { captured: Optime, oldest: Optime },
    #[error("this migration runs without verification")]
    NotVerifying,
    #[error("this migration is only rehearsed")]
    OnlyRehearsed,
    #[error("{command} is not possible while the migration is {phase}")]
    NotNow { command: &'static str, phase: Phase },
}

impl Explain for CoordinatorError {
    fn code(&self) -> &'static str {
        match self {
            Self::Bus(error) => error.code(),
            Self::Cluster(error) => error.code(),
            Self::DropArgs(error) => error.code(),
            Self::DropUnconfirmed { .. } => "MF-COORD-6",
            Self::Replaced { .. } => "MF-COORD-7",
            Self::AnotherLeader => "MF-COORD-1",
            Self::OtherCluster { .. } => "MF-COORD-2",
            Self::DestinationTaken { .. } => "MF-V26",
            Self::NotMigratable { .. } => "MF-V18",
            Self::Listen { .. } => "MF-COORD-3",
            Self::OpenApi { .. } => "MF-COORD-4",
            Self::Validation { .. } => "MF-COORD-5",
            Self::Different { .. } | Self::MetadataDifferent { .. } => "MF-CUTOVER-4",
            Self::SourceWrittenTo { .. } => "MF-CUTOVER-11",
            Self::Finalization { .. } => "MF-CUTOVER-1",
            Self::NotNow { .. } => "MF-CUTOVER-2",
            Self::MissingIndexes { .. } => "MF-CUTOVER-5",
            Self::OutOfReach { .. } => "MF-CUTOVER-6",
            Self::NotVerifying => "MF-COORD-12",
            Self::OnlyRehearsed => "MF-COORD-14",
            Self::CanNotBlock { .. } => "MF-CUTOVER-8",
            Self::Unprotected { .. } => "MF-COORD-10",
        }
    }

    fn hint(&self) -> String {
        match self {
            Self::Bus(error) => error.hint(),
            Self::Cluster(error) => error.hint(),
            Self::DropArgs(error) => error.hint(),
            Self::DropUnconfirmed { set, .. } => format!(
                "Nothing was dropped. Start the coordinator too with --drop --confirm-destination {set}, or validate again \
                 without --drop."
            ),
            Self::Replaced { .. } => {
                "It was left alone. See who made it, then start again: everything is validated and \
                listed anew."
                    .into()
            }
            Self::AnotherLeader => "Nothing to do: the other one goes on, this one stands by.".into(),
            Self::OtherCluster { .. } => {
                "Give the connection strings this migration began with, or another --id for another migration.".into()
            }
            Self::DestinationTaken { other } => format!(
                "Continue or cancel migration {other} first. If it is long gone, drop the database mongoferry on the \
                 destination."
            ),
            Self::NotMigratable { .. } => {
                "Nothing of this collection was copied. Drop or convert it on the source, then start again.".into()
            }
            Self::Listen { .. } => "Give another --listen, or end the process that listens there.".into(),
            Self::OpenApi { .. } => {
                "Set MONGOFERRY_API_TOKEN, or listen on 127.0.0.1: whoever reaches the API can cut over.".into()
            }
            Self::Validation { .. } => "Mend what `mongoferry validate` names, then start again.".into(),
            Self::Different { .. } => "Do not switch users over: the source is still complete and untouched. See with \
                `mongoferry verify --list` what differs. Go on (`mongoferry resume`, or start again), copy just those documents \
                again with `mongoferry verify --repair`, and cut over again."
                .into(),
            Self::MetadataDifferent { .. } => "Do not switch users over, and let nobody write to the source: the destination gets no more \
                of it. Start again, or run `mongoferry resume`: what was changed meanwhile is finished and compared once more."
                .into(),
            Self::SourceWrittenTo { .. } => "Nothing was committed. The source is complete; the destination has everything up to the \
                cutover, and nothing of what users wrote since. To stay on the source, cancel this migration and begin a new one. To go \
                on to the destination, stop the writes, carry over by hand what was written since, and start again with \
                MONGOFERRY_ACCEPT_SOURCE_WRITES=true (the coordinator: --accept-source-writes)."
                .into(),
            Self::Finalization { .. } => "Let nobody write to the source meanwhile. Mend what is named on the destination, then start again: \
                the cutover goes on there."
                .into(),
            Self::MissingIndexes { .. } => "Mend the cause on the destination or drop the indexes on the source; or cut over \
                with --accept-missing-indexes (the API: POST commit with {\"acceptMissingIndexes\": true}) to go without."
                .into(),
            Self::CanNotBlock { .. } => "Nothing was begun. Stop the applications, or block writes as another user, then cut over without it.".into(),
            Self::Unprotected { .. } => "See that no application writes there until then. A write of another that touches a migrated \
                document is found, and told.".into(),
            Self::OutOfReach { .. } => "It can't be extended any more. Cancel it and begin a new one; what was copied is still on the \
                destination, and `--drop` replaces it."
                .into(),
            Self::NotNow { command: "extend", .. } => "The timer runs from the first moment of being ready.".into(),
            Self::OnlyRehearsed => "Nothing was begun; it ends by itself with a report. To cut over, stop it and start it without --rehearse.".into(),
            Self::NotVerifying => "Start it again without --no-verify; then what differs is found, and can be repaired.".into(),
            Self::NotNow { command: "verify" | "verify with a repair", .. } => {
                "What differs is compared again, and repaired, while the migration is catching up or ready, or after a cutover that \
                failed before its point of no return. `mongoferry verify --list` shows at any time what is known to differ."
                    .into()
            }
            Self::NotNow { command: "commit", .. } => {
                "Wait until the migration is ready: `mongoferry status` says what is missing.".into()
            }
            Self::NotNow { .. } => "Look at `mongoferry status` for what the migration does right now.".into(),
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Bus(error) => error.retry(),
            Self::Cluster(error) => error.retry(),
            Self::DropArgs(error) => error.retry(),
            Self::AnotherLeader => Retry::Soon,
            Self::DropUnconfirmed { .. }
            | Self::Replaced { .. }
            | Self::OtherCluster { .. }
            | Self::DestinationTaken { .. }
            | Self::NotMigratable { .. }
            | Self::Listen { .. }
            | Self::OpenApi { .. }
            | Self::Validation { .. }
            | Self::Different { .. }
            | Self::MetadataDifferent { .. }
            | Self::SourceWrittenTo { .. }
            | Self::Finalization { .. }
            | Self::MissingIndexes { .. }
            | Self::CanNotBlock { .. }
            | Self::Unprotected { .. }
            | Self::OutOfReach { .. }
            | Self::NotVerifying
            | Self::OnlyRehearsed
            | Self::NotNow { .. } => Retry::AfterFix,
        }
    }
}
