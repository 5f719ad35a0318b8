//! How much is in what is to be dropped, and how much disk that gives back.

use bson::doc;
use futures_util::{StreamExt, stream};
use mongoferry_mongo::Cluster;
use mongoferry_protocol::DropTarget;

use crate::number::number;

const CONCURRENCY: usize = 8;

/// What can't be told stays zero.
pub(crate) async fn with_sizes(destination: &Cluster, targets: Vec<DropTarget>) -> Vec<DropTarget> {
    let targets = stream::iter(targets).map(|target| with_size(destination, target));
    targets.buffered(CONCURRENCY).collect().await
}

async fn with_size(destination: &Cluster, target: DropTarget) -> DropTarget {
    // A view has none.
    if target.uuid.is_none() {
        return target;
    }
    let command = doc! {"collStats": target.namespace.collection()};
    let Ok(stats) = destination.command(target.namespace.database(), command).await else { return target };
    let of = |key| number(&stats, key).unwrap_or(0);
    DropTarget { documents: of("count"), disk_bytes: of("storageSize") + of("totalIndexSize"), ..target }
}
