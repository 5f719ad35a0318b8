//! What the validator does: [`run`] is the whole process.

mod args;
mod bus_look;
mod check;
mod check_list;
mod checks;
mod cluster_observation;
mod continuation;
mod drop_sizes;
mod format_size;
mod greeting;
mod host_trouble;
mod hosts;
mod inventory;
mod number;
mod oplog_view;
mod pem_file;
mod privilege_set;
mod reach;
mod report_table;
mod run;
mod serve;
mod session;
mod tls;
mod validate;

pub use check_list::CHECKS;
pub use run::run;
