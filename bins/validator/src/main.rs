//! validator: looks at both clusters, and at the bus, before anything is written, and says what would go wrong.
//!
//!     source, destination, bus ──▶ checks, side by side ──▶ ValidationReport ──▶ standard output, and the bus if one is given
//!
//! With `--serve` it stays, and makes the checks whenever a validation job is on the bus.
//!
//! Nothing is written to either cluster. One check that fails, or can't be made, hides no other. Exit code: 0 no errors,
//! 3 errors found, 2 a malformed connection string or option.

use std::process::ExitCode;

fn main() -> ExitCode {
    mongoferry_validator::run()
}
