//! Whether the destination knows the stage by which servers of 6.0 and later, and late patch releases of 4.4 and 5.0, apply the
//! source's updates themselves.

use bson::doc;
use mongoferry_protocol::Namespace;

use super::records::MARKER;
use crate::{connection::Cluster, error::MongoError};

/// "Unrecognized pipeline stage name".
const UNKNOWN_STAGE: i32 = 40324;

/// Reads one of the own records through `$_internalApplyOplogUpdate`.
pub(super) async fn has_update_stage(destination: &Cluster) -> Result<bool, MongoError> {
    let change = doc! { "$v": 2, "diff": { "u": { "x": 1 } } };
    let probe = doc! {
        "aggregate": MARKER,
        "pipeline": [{ "$limit": 1 }, { "$_internalApplyOplogUpdate": { "oplogUpdate": change } }],
        "cursor": {},
    };
    match destination.command(Namespace::OWN_DATABASE, probe).await {
        Ok(_) => Ok(true),
        // Stages are parsed before the privilege for the collection is looked at.
        Err(MongoError::Unauthorized { .. }) => Ok(true),
        Err(MongoError::Command { cause, .. }) if cause.code == Some(UNKNOWN_STAGE) => Ok(false),
        Err(error) => Err(error),
    }
}
