//! The built validator against real servers.

mod authority;
mod bus;
mod catalogs;
mod clusters;
mod hosts;
mod logins;
mod many_collections;
mod members;
mod nats_account;
mod outcome;
mod privileges;
mod refusals;
mod skewed_clock;
mod tls;
mod workloads;
