//! What every item of work needs: connections and facts.

use mongoferry_mongo::{Cluster, ServerVersion, facts};
use mongoferry_protocol::Party;
use mongoferry_stage::{Stage, StageError};

use crate::Args;

/// An indexer that is connected. Cheap to clone.
#[derive(Clone)]
pub struct Indexer {
    pub stage: Stage,
    pub source: Cluster,
    pub destination: Cluster,
    pub destination_version: ServerVersion,
}

impl Indexer {
    pub async fn connect(stage: Stage, args: Args) -> Result<Self, StageError> {
        let (source, destination) = (args.source.uri()?, args.destination.uri()?);
        let (source, destination) = tokio::try_join!(
            Cluster::connect(source.reveal(), "mongoferry-indexer"),
            Cluster::connect(destination.reveal(), "mongoferry-indexer"),
        )?;
        stage.works_with(Party::Source, source.reachability());
        stage.works_with(Party::Destination, destination.reachability());
        let destination_version = facts(&destination).await?.version;
        Ok(Self { stage, source, destination, destination_version })
    }
}
