//! The verifier against real servers.

mod binary;
mod documents;
mod metadata;
mod pair;
