//! Whole migrations on real servers, as a user starts them. Every one ends with a byte-exact comparison that shares nothing
//! with the product's verifier.

mod ahead;
mod at_a_terminal;
mod bus_limits;
mod catalog;
mod changes_under_way;
mod clean_stop;
mod consent;
mod copiers;
mod documents;
mod dropping;
mod dry_run;
mod entries;
mod expiry_in_cutover;
mod fencing;
mod hidden_members;
mod indexes;
mod interruptions;
mod kinds;
mod main_job;
mod network;
mod operator;
mod operator_acts;
mod oplog_window;
mod refusals;
mod rehearsal;
mod repair;
mod reports;
mod rollbacks;
mod security;
mod timer;
mod two_into_one;
mod versions;
mod write_blocks;
