//! Builds the indexes of a collection on the destination in the form they have before the cutover.
//!
//! All of them in one scan where that works; an index that can't be built does not hinder the others. Building again
//! what stands changes nothing.

use std::error::Error;

use bson::{Document, RawDocument};
use mongoferry_protocol::{CollectionUuid, Namespace};

use crate::{
    catalog::{has_default_collation, list_indexes, uuid_binary},
    connection::Cluster,
    error::MongoError,
    fenced::Fenced,
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

/// CollectionUUIDMismatch: the collection under this name is another one.
pub(crate) const OTHER_COLLECTION: i32 = 361;

/// `source` are the specifications of the source's listIndexes. Fails only for what concerns the cluster or the collection as a
/// whole. With a UUID, which a server of 6.0 or later checks, no other collection gets the indexes, nor is it created by them.
pub async fn build_indexes(
    destination: Fenced<'_>,
    namespace: &Namespace,
    uuid: Option<CollectionUuid>,
    source: &[impl AsRef<RawDocument>],
) -> Result<Vec<BuildOutcome>, MongoError> {
    let forms = index_forms(source)
        .map_err(|error| destination.cluster().unexpected(&format!("listIndexes on {namespace}"), error))?;
    let collated = has_default_collation(destination.cluster(), namespace).await?;
    let own = |spec: &Document| with_own_collation(spec, collated);
    let specs: Vec<Document> = forms.iter().filter_map(|(_, form)| buildable(form)).map(|spec| own(&spec)).collect();
    let together = create(destination, namespace, uuid, &specs).await?.is_none();
    let mut outcomes = Vec::new();
    for (name, form) in forms {
        let state = match form {
            IndexForm::Deferred { reason } => BuildState::Deferred { reason },
            IndexForm::Build { held_back, .. } if together => BuildState::Built { held_back },
            IndexForm::Build { spec, held_back } => match create(destination, namespace, uuid, &[own(&spec)]).await? {
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
    destination: Fenced<'_>,
    namespace: &Namespace,
    uuid: Option<CollectionUuid>,
    specs: &[Document],
) -> Result<Option<String>, MongoError> {
    if specs.is_empty() {
        return Ok(None);
    }
    let mut command = create_indexes(namespace.collection(), specs);
    command.extend(uuid.map(|uuid| ("collectionUUID".to_owned(), uuid_binary(uuid).into())));
    match destination.change(namespace.database(), command).await {
        Ok(_) => Ok(None),
        Err(error) if error.server_code() == Some(OTHER_COLLECTION) => Err(error),
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
