//! Builds the indexes of a collection on the destination in the form they have before the cutover.
//!
//! All of them in one scan where that works; an index that can't be built does not hinder the others. Building again
//! what stands changes nothing.

use std::error::Error;

use bson::{Document, RawDocument};
use mongoferry_protocol::Namespace;

use crate::{
    catalog::{has_default_collation, list_indexes},
    connection::Cluster,
    error::MongoError,
    index_forms::{IndexForm, create_indexes, index_forms, with_own_collation},
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BuildState {
    /// Stands; what waits for the cutover is said.
    Built {
        held_back: Option<String>,
    },
    Deferred {
        reason: String,
    },
    Failed {
        reason: String,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildOutcome {
    pub name: String,
    pub state: BuildState,
}

/// `source` are the specifications of the source's listIndexes. Fails only for what concerns the cluster as a whole.
pub async fn build_indexes(
    destination: &Cluster,
    namespace: &Namespace,
    source: &[impl AsRef<RawDocument>],
) -> Result<Vec<BuildOutcome>, MongoError> {
    let forms =
        index_forms(source).map_err(|error| destination.unexpected(&format!("listIndexes on {namespace}"), error))?;
    let collated = has_default_collation(destination, namespace).await?;
    let own = |spec: &Document| with_own_collation(spec, collated);
    let specs: Vec<Document> = forms.iter().filter_map(|(_, form)| buildable(form)).map(|spec| own(&spec)).collect();
    let together = create(destination, namespace, &specs).await?.is_none();
    let mut outcomes = Vec::new();
    for (name, form) in forms {
        let state = match form {
            IndexForm::Deferred { reason } => BuildState::Deferred { reason },
            IndexForm::Build { held_back, .. } if together => BuildState::Built { held_back },
            IndexForm::Build { spec, held_back } => match create(destination, namespace, &[own(&spec)]).await? {
                None => BuildState::Built { held_back },
                Some(reason) => BuildState::Failed { reason },
            },
        };
        outcomes.push(BuildOutcome { name, state });
    }
    Ok(outcomes)
}

/// The names of the indexes that stand or are being built; `None` without the collection, which building would create.
pub async fn standing_indexes(destination: &Cluster, namespace: &Namespace) -> Result<Option<Vec<String>>, MongoError> {
    match list_indexes(destination, namespace).await {
        Ok(indexes) => {
            Ok(Some(indexes.iter().filter_map(|index| index.get_str("name").ok()).map(Into::into).collect()))
        }
        Err(MongoError::CollectionGone { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn buildable(form: &IndexForm) -> Option<Document> {
    match form {
        IndexForm::Build { spec, .. } => Some(spec.clone()),
        IndexForm::Deferred { .. } => None,
    }
}

/// The reason why these can't be built, if the data or the specification is to blame.
async fn create(
    destination: &Cluster,
    namespace: &Namespace,
    specs: &[Document],
) -> Result<Option<String>, MongoError> {
    if specs.is_empty() {
        return Ok(None);
    }
    let command = create_indexes(namespace.collection(), specs);
    match destination.command(namespace.database(), command).await {
        Ok(_) => Ok(None),
        Err(error) => Ok(Some(about_the_index(error)?.to_string())),
    }
}

/// Why an index alone can't be what it should be: the server's words.
pub(crate) enum IndexFailure {
    Refused(String),
    /// Two documents share a key.
    Duplicates(String),
}

impl std::fmt::Display for IndexFailure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Refused(reason) | Self::Duplicates(reason) => f.write_str(reason),
        }
    }
}

/// The server's reason, if the error concerns this index alone; the error itself otherwise.
pub(crate) fn about_the_index(error: MongoError) -> Result<IndexFailure, MongoError> {
    let reason = || error.source().map_or_else(|| error.to_string(), ToString::to_string);
    match &error {
        MongoError::Command { .. } => Ok(IndexFailure::Refused(reason())),
        MongoError::DuplicateKey { .. } => Ok(IndexFailure::Duplicates(reason())),
        _ => Err(error),
    }
}
