//! What every item of work needs: connections and facts.

use mongoferry_mongo::Cluster;
use mongoferry_protocol::Party;
use mongoferry_stage::{Stage, StageError};

use crate::Args;

/// An indexer that is connected. Cheap to clone.
#[derive(Clone)]
pub struct Indexer {
    pub stage: Stage,
    pub source: Cluster,
    pub destination: Cluster,
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
        Ok(Self { stage, source, destination })
    }
}
