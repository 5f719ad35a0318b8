//! What every item of work needs: connections and facts.

use mongoferry_mongo::{Cluster, ServerVersion, facts};
use mongoferry_protocol::Party;
use mongoferry_stage::{Stage, StageError};

use crate::{Args, doubled_names::DoubledNames, throttle::Throttle};

const MIB: u64 = 1024 * 1024;

/// A copier that is connected.
pub struct Copier {
    pub stage: Stage,
    pub source: Cluster,
    pub destination: Cluster,
    pub source_version: ServerVersion,
    pub destination_version: ServerVersion,
    pub throttle: Throttle,
    pub doubled_names: DoubledNames,
    pub writers: usize,
    /// What a range should hold.
    pub range_bytes: u64,
}

impl Copier {
    pub async fn connect(stage: Stage, args: Args) -> Result<Self, StageError> {
        let (source, destination) = (args.source.uri()?, args.destination.uri()?);
        let (source, destination) = tokio::try_join!(
            Cluster::connect(source.reveal(), "mongoferry-copier"),
            Cluster::connect(destination.reveal(), "mongoferry-copier"),
        )?;
        stage.works_with(Party::Source, source.reachability());
        stage.works_with(Party::Destination, destination.reachability());
        let (source_facts, destination_facts) = tokio::try_join!(facts(&source), facts(&destination))?;
        Ok(Self {
            throttle: Throttle::follow(&stage),
            doubled_names: DoubledNames::on(&source_facts),
            stage,
            source,
            destination,
            source_version: source_facts.version,
            destination_version: destination_facts.version,
            writers: args.writers.get(),
            range_bytes: args.range_mib * MIB,
        })
    }
}
