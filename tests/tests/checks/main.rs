//! Rules that the workspace promises to itself, checked by machine.

mod dependencies;
mod help;
