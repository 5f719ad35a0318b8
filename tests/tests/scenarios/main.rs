//! Whole migrations on real servers, as a user starts them. Every one ends with a byte-exact comparison that shares nothing
//! with the product's verifier.

mod ahead;
mod catalog;
mod consent;
mod documents;
mod dropping;
mod dry_run;
mod entries;
mod hidden_members;
mod indexes;
mod interruptions;
mod kinds;
mod main_job;
mod network;
mod operator;
mod operator_acts;
mod refusals;
mod security;
mod timer;
mod versions;
