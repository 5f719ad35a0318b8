//! A piece of work that any process of a role may take from the work queue.

use serde::{Deserialize, Serialize};

use crate::{CollectionUuid, FinalizationStep, Role};

/// Which processes take it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Queue {
    Copier,
    Indexer,
    Verifier,
}

impl Queue {
    pub const ALL: [Self; 3] = [Self::Copier, Self::Indexer, Self::Verifier];

    pub const fn role(self) -> Role {
        match self {
            Self::Copier => Role::Copier,
            Self::Indexer => Role::Indexer,
            Self::Verifier => Role::Verifier,
        }
    }
}

/// May be delivered more than once; the records in the bucket say what is done already.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WorkItem {
    /// Create the collection on the destination, draw its ranges once and queue them.
    PlanCollection {
        collection: CollectionUuid,
    },
    CopyRange {
        collection: CollectionUuid,
        number: u32,
    },
    BuildIndexes {
        collection: CollectionUuid,
    },
    FinalizeIndexes {
        cutover: u32,
        step: FinalizationStep,
    },
    /// Compare all documents (`metadata: false`), or collections, options, views and indexes (`true`).
    Verify {
        cutover: u32,
        metadata: bool,
    },
    /// Compare again what is known to differ, as the record of this number says.
    CompareAgain {
        number: u32,
    },
}

impl WorkItem {
    pub const fn queue(&self) -> Queue {
        match self {
            Self::PlanCollection { .. } | Self::CopyRange { .. } => Queue::Copier,
            Self::BuildIndexes { .. } | Self::FinalizeIndexes { .. } => Queue::Indexer,
            Self::Verify { .. } | Self::CompareAgain { .. } => Queue::Verifier,
        }
    }

    /// Names the item within its migration, as the last part of its subject.
    pub fn id(&self) -> String {
        match self {
            Self::PlanCollection { collection } => format!("plan.{collection}"),
            Self::CopyRange { collection, number } => format!("copy.{collection}.{number}"),
            Self::BuildIndexes { collection } => format!("index.{collection}"),
            Self::FinalizeIndexes { cutover, step } => match step {
                FinalizationStep::Prepare => format!("prepare.{cutover}"),
                FinalizationStep::Finalize => format!("finalize.{cutover}"),
            },
            Self::Verify { cutover, metadata: false } => format!("verify.{cutover}"),
            Self::Verify { cutover, metadata: true } => format!("verify-metadata.{cutover}"),
            Self::CompareAgain { number } => format!("compare-again.{number}"),
        }
    }
}
