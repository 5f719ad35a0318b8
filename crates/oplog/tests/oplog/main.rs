//! What the crate promises, tested from outside: the entries of real servers, hand-made ones, and random histories.

mod budget;
mod convergence;
mod corpus;
mod decoding;
mod rounds;
