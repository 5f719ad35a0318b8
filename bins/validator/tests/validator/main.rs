//! The built validator against real servers.

mod bus;
mod clusters;
mod outcome;
mod privileges;
mod refusals;
