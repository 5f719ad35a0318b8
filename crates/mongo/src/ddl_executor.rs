//! Changes the destination's catalog, so that doing it again changes nothing.
//!
//! A collection is known by its UUID on the destination, which is looked up before the change is claimed. What is done
//! later, perhaps by another process, is done to that collection only; a server of 6.0 or later checks it by itself.

mod ddl_plan;
mod execute_step;

use mongoferry_protocol::{CollectionUuid, Namespace};

use crate::{
    applier_state::ApplyError,
    catalog::uuid_binary,
    connection::Cluster,
    error::MongoError,
    facts::{ServerVersion, facts},
    optimes::first_of,
};
pub use ddl_plan::{DdlPlan, DdlStep};

/// Executes plans on one destination.
pub struct DdlExecutor<'a> {
    cluster: Cluster,
    /// Asked right before each command: an error if somebody else may act by now.
    still_ours: &'a (dyn Fn() -> Result<(), ApplyError> + Sync),
    version: ServerVersion,
    /// The server takes `collectionUUID`.
    checks_uuids: bool,
}

impl<'a> DdlExecutor<'a> {
    /// `still_ours` keeps a process that was stopped in the middle of a step from going on with it. Servers before 6.0 do not
    /// check the UUID, so there it is all that does.
    pub async fn new(
        cluster: &Cluster,
        still_ours: &'a (dyn Fn() -> Result<(), ApplyError> + Sync),
    ) -> Result<Self, MongoError> {
        let facts = facts(cluster).await?;
        let feature_version = facts.fcv.as_deref().and_then(|fcv| fcv.split('.').next()?.parse::<u32>().ok());
        let checks_uuids = facts.version.is_at_least(6, 0) && feature_version.is_some_and(|major| major >= 6);
        Ok(Self { cluster: cluster.clone(), still_ours, version: facts.version, checks_uuids })
    }

    /// Fills in the UUIDs. Fails if a collection to be created stands already.
    pub async fn resolve(&self, mut plan: DdlPlan) -> Result<DdlPlan, ApplyError> {
        let mut vacated: Vec<Namespace> = Vec::new();
        for step in &mut plan.steps {
            match step {
                DdlStep::Create { namespace, .. } => self.require_absent(namespace, &vacated).await?,
                DdlStep::Drop { namespace, uuid } | DdlStep::Rename { from: namespace, uuid, .. } => {
                    *uuid = self.uuid_of(namespace).await?;
                    vacated.push(namespace.clone());
                }
                DdlStep::CreateIndexes { namespace, uuid, .. }
                | DdlStep::DropIndex { namespace, uuid, .. }
                | DdlStep::CollMod { namespace, uuid, .. } => *uuid = self.uuid_of(namespace).await?,
            }
        }
        Ok(plan)
    }

    async fn require_absent(&self, namespace: &Namespace, vacated: &[Namespace]) -> Result<(), ApplyError> {
        if vacated.contains(namespace) || self.uuid_of(namespace).await?.is_none() {
            return Ok(());
        }
        Err(ApplyError::Destination(MongoError::CollectionDiffers {
            cluster: self.cluster.hosts_label().to_owned(),
            namespace: namespace.to_string(),
            detail: "it stands there, though the source has only now created it".into(),
        }))
    }

    async fn uuid_of(&self, namespace: &Namespace) -> Result<Option<CollectionUuid>, MongoError> {
        let filter = bson::doc! { "name": namespace.collection() };
        Ok(self.listed(namespace.database(), filter).await?.map(|(_, uuid)| uuid))
    }

    async fn name_of(&self, database: &str, uuid: CollectionUuid) -> Result<Option<Namespace>, MongoError> {
        let filter = bson::doc! { "info.uuid": uuid_binary(uuid) };
        Ok(self.listed(database, filter).await?.map(|(namespace, _)| namespace))
    }

    async fn listed(
        &self,
        database: &str,
        filter: bson::Document,
    ) -> Result<Option<(Namespace, CollectionUuid)>, MongoError> {
        let command = bson::doc! { "listCollections": 1, "filter": filter };
        let reply = self.cluster.command(database, command).await?;
        let found = first_of(&reply).and_then(|entry| {
            let uuid = match entry.get_document("info").ok()?.get("uuid")? {
                bson::Bson::Binary(uuid) => uuid.bytes.as_slice().try_into().ok()?,
                _ => return None,
            };
            let namespace = Namespace::new(database, entry.get_str("name").ok()?);
            Some((namespace, CollectionUuid::from_bytes(uuid)))
        });
        Ok(found)
    }
}
