//! How the updates of an oplog are applied on a destination. Decided once for each term.

use super::probe::has_update_stage;
use crate::{connection::Cluster, error::MongoError, facts::facts};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeltaForm {
    /// By the server's own stage for it.
    Stage,
    /// By a pipeline that does the same; where none is exact, by reading the document again.
    Pipeline,
    /// By reading the document again, always. A server of 5.0 without the stage writes what a pipeline did to its oplog as a
    /// difference, and aborts while computing one of a document that holds two fields of one name (5.0.4, invariant in
    /// document_diff_serialization.cpp:81); which documents do can't be seen beforehand.
    Reread,
}

pub(super) async fn delta_form(destination: &Cluster) -> Result<DeltaForm, MongoError> {
    if has_update_stage(destination).await? {
        return Ok(DeltaForm::Stage);
    }
    let writes_differences = facts(destination).await?.version.is_at_least(5, 0);
    Ok(if writes_differences { DeltaForm::Reread } else { DeltaForm::Pipeline })
}
