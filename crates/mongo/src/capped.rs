//! Capped collections at the cutover. Until then they stand on the destination as plain ones, which hold the same documents in
//! the same order, or more.

mod make;
mod settle;

pub(crate) use make::make_capped;
pub(crate) use settle::settle_capped;
