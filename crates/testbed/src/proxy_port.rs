//! A TCP proxy on 127.0.0.1 that misbehaves on demand, for tests of what a bad network does.

mod relay;

use std::{net::SocketAddr, time::Duration};

use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    sync::watch,
    task::{AbortHandle, JoinSet},
};

use crate::testbed_error::TestbedError;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyMode {
    /// Bytes go through at once.
    Pass,
    /// Bytes arrive this much later, each way; throughput is not limited.
    Delay(Duration),
    /// Connections are accepted and held, and nothing goes through until the mode changes.
    BlackHole,
    /// Connections are reset, at once and whenever a new one comes.
    Reset,
    /// Connections are reset and the port is closed.
    Refuse,
}

pub struct ProxyPort {
    port: u16,
    mode: watch::Sender<ProxyMode>,
    acceptor: AbortHandle,
}

impl ProxyPort {
    /// Starts in mode `Pass` in front of 127.0.0.1:`upstream_port`.
    pub async fn start(upstream_port: u16) -> Result<Self, TestbedError> {
        let failed = || TestbedError::io("open a proxy's port");
        let port = crate::free_port::free_port().map_err(failed())?;
        let listener = listen(port).map_err(failed())?;
        let (mode, modes) = watch::channel(ProxyMode::Pass);
        let acceptor = tokio::spawn(accept(listener, port, upstream_port, modes)).abort_handle();
        Ok(Self { port, mode, acceptor })
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }

    /// Takes effect on open connections too.
    pub fn set(&self, mode: ProxyMode) {
        self.mode.send_replace(mode);
    }
}

impl Drop for ProxyPort {
    fn drop(&mut self) {
        // Ends the relays too: the acceptor owns them.
        self.acceptor.abort();
    }
}

fn listen(port: u16) -> std::io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(SocketAddr::from(([127, 0, 0, 1], port)))?;
    socket.listen(1024)
}

/// Accepts until aborted; while refusing, there is no listener.
async fn accept(listener: TcpListener, port: u16, upstream_port: u16, mut modes: watch::Receiver<ProxyMode>) {
    let mut relays = JoinSet::new();
    let mut listener = Some(listener);
    loop {
        let mode = *modes.borrow_and_update();
        match (mode, listener.take()) {
            (ProxyMode::Refuse, open) => {
                drop(open);
                if modes.changed().await.is_err() {
                    return;
                }
            }
            (_, None) => match listen(port) {
                Ok(opened) => listener = Some(opened),
                // Somebody took the port while it was closed; it may come free again.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            },
            (_, Some(open)) => {
                tokio::select! {
                    changed = modes.changed() => if changed.is_err() { return },
                    accepted = open.accept() => {
                        if let Ok((client, _)) = accepted {
                            relays.spawn(relay(client, upstream_port, modes.clone()));
                        }
                    }
                    Some(_) = relays.join_next() => {}
                }
                listener = Some(open);
            }
        }
    }
}

/// One connection, until an end closes it or the mode cuts it.
async fn relay(client: TcpStream, upstream_port: u16, modes: watch::Receiver<ProxyMode>) {
    let mut cuts = modes.clone();
    let cut = cuts.wait_for(|mode| matches!(mode, ProxyMode::Reset | ProxyMode::Refuse));
    let Ok(upstream) = TcpStream::connect(("127.0.0.1", upstream_port)).await else {
        return relay::reset(&client);
    };
    let was_cut = tokio::select! {
        _ = cut => true,
        () = relay::both_ways(&client, &upstream, modes) => false,
    };
    if was_cut {
        relay::reset(&client);
        relay::reset(&upstream);
    }
}
