//! The bus on a real nats-server: records, work queues, the chain of batches, leases.

mod batches;
mod leases;
mod records;
mod work;

use mongoferry_bus::{Bus, BusOptions};
use mongoferry_testbed::NatsServer;

async fn start_nats() -> NatsServer {
    NatsServer::builder().start().await.expect("nats-server starts")
}

async fn connect(nats: &NatsServer) -> Bus {
    let options = BusOptions {
        url: nats.url(),
        user: nats.credentials().map(|credentials| credentials.user.clone()),
        password: nats.credentials().map(|credentials| credentials.password.clone()),
        credentials_file: None,
        replicas: 1,
    };
    Bus::connect(&options, &"test".parse().expect("an id")).await.expect("the bus answers")
}
