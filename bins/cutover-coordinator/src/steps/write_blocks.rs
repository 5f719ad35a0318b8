//! Blocking the writes of users: on the source from the cutover on, if the operator lets us; on the destination until the commit.
//!
//! A block is recorded before it is set, and forgotten after it is lifted. A coordinator that died in between is followed by one
//! that finds it, and lifts it where nothing is gained by it any more.

use mongoferry_mongo::{
    LIFT_WRITE_BLOCK, MongoError, Passing, list_namespaces, obstacle_to_write_block, set_write_block,
};
use mongoferry_protocol::{Namespace, now_ms};

use crate::{coordinate::Coordinator, coordinator_error::CoordinatorError};

impl Coordinator {
    /// Before anything is begun: the operator relies on it.
    pub async fn refuse_if_writes_can_not_be_blocked(&self) -> Result<(), CoordinatorError> {
        match obstacle_to_write_block(&self.source, Passing::Nobody).await? {
            Some(reason) => Err(CoordinatorError::CanNotBlock { reason }),
            None => Ok(()),
        }
    }

    /// A transaction that stays open keeps the block from being set; then the cutover is taken back.
    pub(super) async fn block_source(&mut self) -> Result<(), CoordinatorError> {
        self.phase.change(|record| record.write_blocks.source_since_ms = Some(now_ms())).await?;
        tracing::warn!("blocking the writes of users on the source; to lift it by hand: {LIFT_WRITE_BLOCK}");
        self.lease.check()?;
        if let Err(error) = set_write_block(&self.source, true).await {
            return self.revert(format!("the writes of users on the source could not be blocked: {error}")).await;
        }
        let blocked = |cutover: &mut mongoferry_protocol::CutoverRecord| cutover.blocked_at_ms = Some(now_ms());
        self.phase.change(|record| record.cutover.iter_mut().for_each(blocked)).await
    }

    pub(super) async fn lift_source_block(&mut self) -> Result<(), CoordinatorError> {
        if self.phase.record().write_blocks.source_since_ms.is_some() {
            self.lease.check()?;
            set_write_block(&self.source, false).await?;
            tracing::info!("the writes of users on the source are no longer blocked");
            self.phase.change(|record| record.write_blocks.source_since_ms = None).await?;
        }
        Ok(())
    }

    /// Only where nobody else's work would be stopped by it, and where ours would not.
    pub(super) async fn protect_destination(&mut self) -> Result<(), CoordinatorError> {
        if let Some(reason) = self.obstacle_to_protection().await? {
            return self.phase.change(|record| record.unprotected = Some(reason)).await;
        }
        self.phase.change(|record| record.write_blocks.destination_since_ms = Some(now_ms())).await?;
        self.lease.check()?;
        match set_write_block(&self.destination, true).await {
            Ok(()) => {
                tracing::info!("the writes of others on the destination are blocked until the commit");
                Ok(())
            }
            Err(error @ MongoError::Command { .. }) => {
                self.lease.check()?;
                set_write_block(&self.destination, false).await?;
                let unprotected = |record: &mut mongoferry_protocol::PhaseRecord| {
                    record.write_blocks.destination_since_ms = None;
                    record.unprotected = Some(error.to_string());
                };
                self.phase.change(unprotected).await
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn obstacle_to_protection(&self) -> Result<Option<String>, CoordinatorError> {
        let listing = list_namespaces(&self.destination).await?;
        let mut standing = listing.stores().chain(&listing.views).map(|info| &info.namespace);
        let foreign = standing.find(|namespace| namespace.database() != Namespace::OWN_DATABASE);
        if let Some(foreign) = foreign {
            return Ok(Some(format!("it holds other data ({foreign}), whose users are not to be stopped")));
        }
        Ok(obstacle_to_write_block(&self.destination, Passing::Ourselves).await?)
    }

    pub(super) async fn lift_destination_block(&mut self) -> Result<(), CoordinatorError> {
        if self.phase.record().write_blocks.destination_since_ms.is_some() {
            self.lease.check()?;
            set_write_block(&self.destination, false).await?;
            self.phase.change(|record| record.write_blocks.destination_since_ms = None).await?;
        }
        Ok(())
    }

    /// A cluster that is away must not keep a migration from ending: what stays blocked is told.
    pub(super) async fn try_to_lift_source_block(&mut self) -> Result<(), CoordinatorError> {
        unless_away(self.lift_source_block().await, "source")
    }

    /// As [`Self::try_to_lift_source_block`].
    pub(super) async fn try_to_lift_destination_block(&mut self) -> Result<(), CoordinatorError> {
        unless_away(self.lift_destination_block().await, "destination")
    }
}

fn unless_away(lifted: Result<(), CoordinatorError>, cluster: &str) -> Result<(), CoordinatorError> {
    match lifted {
        Err(CoordinatorError::Cluster(error)) => {
            tracing::warn!(%error, "the writes of users on the {cluster} stay blocked; to lift it there: {LIFT_WRITE_BLOCK}");
            Ok(())
        }
        lifted => lifted,
    }
}
