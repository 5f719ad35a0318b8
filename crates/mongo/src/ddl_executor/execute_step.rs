//! One step: looks whether it is done already, and does it if not.

use bson::{Document, RawDocument, doc};
use mongoferry_protocol::{CollectionUuid, Namespace};

use super::{DdlExecutor, DdlStep};
use crate::{
    applier_state::ApplyError,
    catalog::uuid_binary,
    collection_options::options_before_cutover,
    create_collection::create_collection,
    error::MongoError,
    fenced::{Asking, Fenced},
    index_builder::{BuildState, OTHER_COLLECTION, build_indexes},
};

const INDEX_NOT_FOUND: i32 = 27;

impl DdlExecutor<'_> {
    /// Does the step if it is not done yet. Confirmed by a majority.
    pub async fn execute(&self, step: &DdlStep) -> Result<(), ApplyError> {
        match step {
            DdlStep::Create { namespace, options } => {
                let options = self.raw(options)?;
                (self.still_ours)()?;
                Ok(create_collection(&self.cluster, self.version, namespace, options).await?)
            }
            DdlStep::Drop { namespace, uuid } => self.drop_collection(namespace, *uuid).await,
            DdlStep::Rename { from, to, uuid } => self.rename(from, to, *uuid).await,
            DdlStep::CreateIndexes { namespace, uuid, specs } => self.create_indexes(namespace, *uuid, specs).await,
            DdlStep::DropIndex { namespace, uuid, name } => {
                let command = doc! { "dropIndexes": namespace.collection(), "index": name };
                self.on_claimed(namespace, *uuid, command).await
            }
            DdlStep::CollMod { namespace, uuid, options } => self.coll_mod(namespace, *uuid, options).await,
        }
    }

    async fn drop_collection(&self, namespace: &Namespace, uuid: Option<CollectionUuid>) -> Result<(), ApplyError> {
        let Some(uuid) = uuid else { return Ok(()) };
        match self.name_of(namespace.database(), uuid).await? {
            None => Ok(()),
            Some(name) => self.on_claimed(&name, Some(uuid), doc! { "drop": name.collection() }).await,
        }
    }

    async fn rename(&self, from: &Namespace, to: &Namespace, uuid: Option<CollectionUuid>) -> Result<(), ApplyError> {
        let replaced = || ApplyError::CollectionReplaced {
            cluster: self.cluster.hosts_label().to_owned(),
            namespace: from.to_string(),
        };
        let uuid = uuid.ok_or_else(replaced)?;
        match self.name_of(from.database(), uuid).await? {
            Some(name) if name == *to => Ok(()),
            Some(name) if name == *from => {
                (self.still_ours)()?;
                let command = doc! { "renameCollection": from.to_string(), "to": to.to_string() };
                let reply = self.run("admin", self.checked(command, uuid)).await;
                reply.map(drop).map_err(ApplyError::from)
            }
            _ => Err(replaced()),
        }
    }

    /// An index that can't be built does not stop the changes: the finalization builds it, or says why not.
    async fn create_indexes(
        &self,
        namespace: &Namespace,
        uuid: Option<CollectionUuid>,
        specs: &[serde_bytes::ByteBuf],
    ) -> Result<(), ApplyError> {
        if uuid.is_none() || self.uuid_of(namespace).await? != uuid {
            return Ok(());
        }
        let specs = specs.iter().map(|spec| self.raw(spec)).collect::<Result<Vec<_>, _>>()?;
        let still_ours = || -> Asking<'_> { Box::pin(std::future::ready((self.still_ours)().is_ok())) };
        let destination = Fenced::new(&self.cluster, &still_ours);
        let checked = uuid.filter(|_| self.checks_uuids && namespace.time_series().is_none());
        let outcomes = match build_indexes(destination, namespace, checked, &specs).await {
            Err(error) if error.server_code() == Some(OTHER_COLLECTION) => return Ok(()),
            built => built?,
        };
        for outcome in outcomes {
            if let BuildState::Failed { reason } = outcome.state {
                tracing::warn!(%namespace, index = outcome.name, reason, "an index waits for the finalization");
            }
        }
        Ok(())
    }

    async fn coll_mod(
        &self,
        namespace: &Namespace,
        uuid: Option<CollectionUuid>,
        options: &[u8],
    ) -> Result<(), ApplyError> {
        let options = options_before_cutover(self.raw(options)?, self.version)
            .map_err(|error| self.cluster.unexpected("collMod of the source", error))?;
        if options.is_empty() {
            return Ok(());
        }
        // The buckets themselves take none.
        let series = namespace.time_series();
        let mut command = doc! { "collMod": series.as_ref().unwrap_or(namespace).collection() };
        command.extend(options);
        self.on_claimed(namespace, uuid, command).await
    }

    /// Runs a command on a collection if it is still the claimed one; otherwise it was done, and more.
    async fn on_claimed(
        &self,
        namespace: &Namespace,
        uuid: Option<CollectionUuid>,
        command: Document,
    ) -> Result<(), ApplyError> {
        let Some(uuid) = uuid else { return Ok(()) };
        if self.uuid_of(namespace).await? != Some(uuid) {
            return Ok(());
        }
        // Time-series collections take none (6.0.5: 72, "cannot be passed when dropping a time-series collection").
        let command = if namespace.time_series().is_some() { command } else { self.checked(command, uuid) };
        (self.still_ours)()?;
        match self.run(namespace.database(), command).await {
            Err(MongoError::Command { cause, .. })
                if matches!(cause.code, Some(INDEX_NOT_FOUND | OTHER_COLLECTION)) =>
            {
                Ok(())
            }
            Err(MongoError::CollectionGone { .. }) => Ok(()),
            other => Ok(other.map(drop)?),
        }
    }

    fn checked(&self, mut command: Document, uuid: CollectionUuid) -> Document {
        if self.checks_uuids {
            command.insert("collectionUUID", uuid_binary(uuid));
        }
        command
    }

    async fn run(&self, database: &str, mut command: Document) -> Result<Document, MongoError> {
        command.insert("writeConcern", doc! { "w": "majority" });
        self.cluster.command(database, command).await
    }

    fn raw<'a>(&self, bytes: &'a [u8]) -> Result<&'a RawDocument, ApplyError> {
        let damaged = |error| ApplyError::RecordsDamaged {
            cluster: self.cluster.hosts_label().to_owned(),
            detail: format!("a claim holds no BSON: {error}"),
        };
        RawDocument::from_bytes(bytes).map_err(damaged)
    }
}
