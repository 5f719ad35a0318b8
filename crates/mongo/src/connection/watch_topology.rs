//! Notes whether a cluster has a primary that answers, as the driver sees it.

use mongodb::{
    ServerInfo, ServerType, TopologyType,
    event::{
        EventHandler,
        sdam::{SdamEvent, TopologyDescription},
    },
    options::ServerAddress,
};
use mongoferry_protocol::Reachability;

pub(super) fn note(reachability: Reachability) -> EventHandler<SdamEvent> {
    EventHandler::callback(move |event| {
        if let SdamEvent::TopologyDescriptionChanged(change) = event {
            match trouble(&change.new_description) {
                None => reachability.found(),
                Some(reason) => reachability.lost(reason),
            }
        }
    })
}

/// Why nothing can be written there now.
fn trouble(topology: &TopologyDescription) -> Option<String> {
    let answers = match topology.topology_type() {
        TopologyType::Single => topology.servers().values().any(|server| server.server_type() != ServerType::Unknown),
        TopologyType::ReplicaSetNoPrimary | TopologyType::Unknown => false,
        _ => true,
    };
    if answers {
        return None;
    }
    let errors =
        |(address, server): (&ServerAddress, ServerInfo<'_>)| Some(format!("{address}: {}", server.error()?.kind));
    Some(topology.servers().into_iter().find_map(errors).unwrap_or_else(|| "no member is primary".into()))
}
