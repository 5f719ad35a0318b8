//! A catalog change among transactions: claimed before it is executed, recorded after, each in one transaction under the
//! term. In between, its steps may be done once more by a successor.

use bson::oid::ObjectId;
use mongoferry_protocol::ChangePosition;

use super::{ApplierState, ApplyError, Claim, LaneCheckpoint, records};
use crate::{
    ddl_executor::DdlPlan,
    lane_writer::transaction::{NotCommitted, Statement, transact},
};

impl ApplierState {
    /// States what is going to be done, for whoever must finish it. All lanes must have applied everything before it.
    pub async fn claim_barrier(&mut self, position: ChangePosition, plan: DdlPlan) -> Result<(), ApplyError> {
        let (lanes, term, transaction) = (self.lanes.len(), self.term, ObjectId::new());
        let claim = Claim { position, plan };
        let statements = || vec![records::touch_all(lanes, term, transaction), records::put_claim(&claim, term)];
        self.commit(transaction, statements).await?;
        self.claim = Some(claim);
        Ok(())
    }

    /// Ends the barrier: what was claimed is done. Every lane then stands at `checkpoint`.
    pub async fn record_barrier(&mut self, checkpoint: LaneCheckpoint) -> Result<(), ApplyError> {
        let (lanes, term, transaction) = (self.lanes.len(), self.term, ObjectId::new());
        let changes = self.claim.take().map(|claim| claim.plan.map_changes).unwrap_or_default();
        let statements = || {
            let mut statements = vec![
                records::advance_all(lanes, term, transaction, checkpoint),
                records::count_change(term),
                records::remove_claim(),
            ];
            statements.extend(changes.iter().map(records::change_map));
            statements
        };
        self.commit(transaction, statements).await?;
        self.lanes.fill(checkpoint);
        self.changes += 1;
        changes.iter().for_each(|change| self.collections.apply(change));
        Ok(())
    }

    async fn commit(
        &mut self,
        transaction: ObjectId,
        statements: impl Fn() -> Vec<Statement>,
    ) -> Result<(), ApplyError> {
        let cluster = self.cluster.clone();
        match transact(&cluster, &mut self.session, false, || statements().into_iter()).await {
            Ok(_) => Ok(()),
            Err(NotCommitted::Fenced) if self.is_committed(transaction).await? => Ok(()),
            Err(reason) => Err(reason.into_error(|| self.stale_term())),
        }
    }
}
