//! TCP ports for servers on 127.0.0.1.

use std::{io, net::TcpListener};

use rand::RngExt;

/// Below the range from which Linux draws the ports of outgoing connections (32768 and up), so that a server that is
/// stopped for a while finds its port still free when it comes back.
const PORTS: std::ops::Range<u16> = 20_000..32_000;

/// A port on which nobody listens at this moment.
pub(crate) fn free_port() -> io::Result<u16> {
    let mut rng = rand::rng();
    for _ in 0..500 {
        let port = rng.random_range(PORTS);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
