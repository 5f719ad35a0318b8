//! Rules that the workspace promises to itself, checked by machine.

mod codes;
mod dependencies;
mod help;
mod readme;
