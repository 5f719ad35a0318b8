//! Notes whether a cluster has a primary that answers, as the driver sees it.

use std::sync::atomic::{AtomicBool, Ordering};

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
    let was_found = AtomicBool::new(false);
    EventHandler::callback(move |event| {
        if let SdamEvent::TopologyDescriptionChanged(change) = event {
            match trouble(&change.new_description) {
                None => {
                    was_found.store(true, Ordering::Relaxed);
                    reachability.found();
                }
                Some(reason) => {
                    // Whoever looks for the first time has missed nobody until somebody could not be reached.
                    let reason = reason.or_else(|| was_found.load(Ordering::Relaxed).then(|| NO_PRIMARY.to_owned()));
                    reason.into_iter().for_each(|reason| reachability.lost(reason));
                }
            }
        }
    })
}

const NO_PRIMARY: &str = "no member is primary";

/// Whether nothing can be written there now; and why, if a member said so.
fn trouble(topology: &TopologyDescription) -> Option<Option<String>> {
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
    Some(topology.servers().into_iter().find_map(errors))
}
