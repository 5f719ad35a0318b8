//! The built validator against real servers.

mod altered_replies;
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
mod tls;
mod workloads;
