//! Everything that a history may consist of. One more line in one of the lists below is one more kind of operation; from the
//! version on that it names, every tour does it, and random histories do it as often as its weight says.

mod arrays;
mod catalog;
mod indexes;
mod kinds;
mod outputs;
mod pipelines;
mod transactions;
mod writes;

use crate::{action::Action, dice::Dice};

/// Major and minor number of a server.
pub type Release = (u32, u32);

pub const ALWAYS: Release = (4, 2);

pub struct Operation {
    /// For people, when a history is shown.
    pub name: &'static str,
    pub since: Release,
    pub weight: u32,
    /// Makes its own preconditions, at least mostly.
    pub make: fn(&mut Dice) -> Vec<Action>,
}

const fn operation(name: &'static str, since: Release, weight: u32, make: fn(&mut Dice) -> Vec<Action>) -> Operation {
    Operation { name, since, weight, make }
}

/// In an order in which a tour gets something out of each.
pub fn operations(release: Release) -> Vec<&'static Operation> {
    let lists = [
        writes::LIST,
        arrays::LIST,
        pipelines::LIST,
        indexes::LIST,
        transactions::LIST,
        outputs::LIST,
        kinds::LIST,
        catalog::LIST,
    ];
    lists.into_iter().flatten().filter(|operation| operation.since <= release).collect()
}
