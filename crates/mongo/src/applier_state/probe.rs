//! Whether the destination can apply the source's updates exactly.

use bson::doc;
use mongoferry_protocol::Namespace;

use super::{ApplyError, records::MARKER};
use crate::{connection::Cluster, error::MongoError, facts::ServerVersion};

/// "Unrecognized pipeline stage name".
const UNKNOWN_STAGE: i32 = 40324;

/// Fails if the server does not know `$_internalApplyOplogUpdate`. Reads one of the own records.
pub(super) async fn require_update_stage(destination: &Cluster, version: ServerVersion) -> Result<(), ApplyError> {
    let change = doc! { "$v": 2, "diff": { "u": { "x": 1 } } };
    let probe = doc! {
        "aggregate": MARKER,
        "pipeline": [{ "$limit": 1 }, { "$_internalApplyOplogUpdate": { "oplogUpdate": change } }],
        "cursor": {},
    };
    match destination.command(Namespace::OWN_DATABASE, probe).await {
        Ok(_) => Ok(()),
        Err(MongoError::Command { cause, .. }) if cause.code == Some(UNKNOWN_STAGE) => Err(ApplyError::StageMissing {
            cluster: destination.hosts_label().to_owned(),
            version: version.to_string(),
        }),
        Err(error) => Err(error.into()),
    }
}
