//! MF-V21: the bus answers and has JetStream.

use mongoferry_bus::BusError;
use mongoferry_protocol::{Explain, Finding};

use crate::check::{Check, Trouble, with_causes};

fn check() -> Check {
    Check::new("MF-V21", "bus: reachable, with JetStream")
}

pub(crate) fn answers(url: &str) -> Finding {
    check().passes(url)
}

pub(crate) fn fails(error: &BusError) -> Finding {
    let reason = "The stages of the migration exchange everything but documents over the bus.";
    check().fails(Trouble::new(with_causes(error), reason, error.hint()))
}
