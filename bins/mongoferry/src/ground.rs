//! What a migration on this machine stands on before any stage runs: no stages of an earlier start, a free address, the bus.

use std::net::{SocketAddr, TcpListener};

use crate::{
    bus_choice::{BusAddress, BusChoice},
    lasting_lock::LastingLock,
    launch::Launch,
    launcher_error::LauncherError,
    private_bus::PrivateBus,
    progress::Screen,
    stage_environment::StageEnvironment,
    stages_lock::take_stages_lock,
    state_dir::StateDir,
};

pub struct Ground {
    /// Handed on to every stage.
    pub lock: LastingLock,
    /// Where the coordinator will serve.
    pub listen: SocketAddr,
    /// Absent where the bus is somebody else's.
    pub bus: Option<PrivateBus>,
    pub environment: StageEnvironment,
}

/// Waits until the stages of an earlier start are gone (their coordinator holds the address), then opens the bus.
pub async fn prepare_ground(launch: &Launch, state_dir: &StateDir, screen: &Screen) -> Result<Ground, LauncherError> {
    let lock = take_stages_lock(state_dir, screen).await?;
    let listen = free_address(launch.listen)?;
    let (bus, address) = open_bus(launch, state_dir).await?;
    let environment = StageEnvironment {
        id: launch.id.clone(),
        source: launch.source.clone(),
        destination: launch.destination.clone(),
        bus: Some(address),
        log: launch.log,
    };
    Ok(Ground { lock, listen, bus, environment })
}

async fn open_bus(launch: &Launch, state_dir: &StateDir) -> Result<(Option<PrivateBus>, BusAddress), LauncherError> {
    match &launch.bus {
        BusChoice::Given(address) => Ok((None, address.clone())),
        BusChoice::Private { nats_server } => {
            let bus = PrivateBus::start(state_dir, nats_server.clone()).await?;
            let address = bus.address().clone();
            Ok((Some(bus), address))
        }
    }
}

/// The address itself if nobody listens there; a free port instead of port 0.
fn free_address(address: SocketAddr) -> Result<SocketAddr, LauncherError> {
    let taken = |source| LauncherError::ListenTaken { address, source };
    TcpListener::bind(address).and_then(|listener| listener.local_addr()).map_err(taken)
}

#[cfg(test)]
mod tests {
    use super::free_address;

    #[test]
    fn a_taken_address_is_refused_and_port_0_becomes_a_real_one() {
        let free = free_address("127.0.0.1:0".parse().unwrap()).unwrap();
        assert_ne!(free.port(), 0);
        let _listener = std::net::TcpListener::bind(free).unwrap();
        assert!(free_address(free).is_err());
    }
}
