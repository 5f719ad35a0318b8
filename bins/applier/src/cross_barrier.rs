//! A catalog change: every lane has applied what came before; then it is claimed, executed, and recorded.

use mongoferry_mongo::{DdlPlan, LaneCheckpoint};
use mongoferry_oplog::Ddl;
use mongoferry_protocol::ChangePosition;

use crate::{applier_error::ApplierError, apply::Active, plan_barrier::plan_barrier};

impl Active<'_> {
    /// Applies `ddl`; afterwards every lane stands at `checkpoint`, its position. A change that a predecessor has claimed
    /// is done as it was planned then.
    pub async fn cross_barrier(&mut self, ddl: &Ddl, checkpoint: LaneCheckpoint) -> Result<(), ApplierError> {
        let crossed = self.cross(ddl, checkpoint).await;
        if crossed.is_err() {
            // Who has lost the lease meanwhile, by sleeping for instance, sees what its successor does to the catalog.
            self.lease.check()?;
        }
        crossed
    }

    async fn cross(&mut self, ddl: &Ddl, checkpoint: LaneCheckpoint) -> Result<(), ApplierError> {
        self.lease.check()?;
        let plan = match self.claimed(checkpoint.position) {
            Some(plan) => {
                self.stage.note(|process| process.catalog_changes_again += 1);
                plan
            }
            None => self.claim(ddl, checkpoint.position).await?,
        };
        for step in &plan.steps {
            self.lease.check()?;
            self.executor.execute(step).await?;
        }
        self.lease.check()?;
        self.state.record_barrier(checkpoint).await?;
        if !plan.steps.is_empty() {
            tracing::info!(kind = plan.kind, optime = %checkpoint.position.optime, "a catalog change was applied");
        }
        Ok(())
    }

    fn claimed(&self, position: ChangePosition) -> Option<DdlPlan> {
        self.state.claim().filter(|claim| claim.position == position).map(|claim| claim.plan.clone())
    }

    async fn claim(&mut self, ddl: &Ddl, position: ChangePosition) -> Result<DdlPlan, ApplierError> {
        let plan = self.executor.resolve(plan_barrier(ddl, self.state.collections())).await?;
        if !plan.steps.is_empty() {
            self.state.claim_barrier(position, plan.clone()).await?;
        }
        Ok(plan)
    }
}
