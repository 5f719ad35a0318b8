//! The built applier between a real source, a real bus and a real destination, killed on the way; in the end both sides are
//! equal byte for byte.

mod applier_process;
mod capture;
mod catalog_chaos;
mod copying;
mod migration;
mod random_updates;
mod scenarios;
