//! What the validator does: [`run`] is the whole process.

mod args;
mod check;
mod checks;
mod cluster_observation;
mod continuation;
mod format_size;
mod hosts;
mod reach;
mod report_table;
mod run;
mod validate;

pub use run::run;
