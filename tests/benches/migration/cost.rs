//! What some work took: time, and CPU by the part of the whole that used it.

use std::collections::BTreeMap;

pub const SOURCE: &str = "source mongod";
pub const DESTINATION: &str = "destination mongod";
pub const BUS: &str = "nats-server";
/// This process, which runs the bare loops.
pub const LOOP: &str = "loop (this process)";

/// Children of the product's command go by the names of their programs.
pub const APPLIER: &str = "mongoferry-applier";

#[derive(Clone, Debug, Default)]
pub struct Cost {
    pub seconds: f64,
    /// Seconds of CPU by part.
    pub cpu: BTreeMap<String, f64>,
    /// Share of the machine's CPU that others used meanwhile.
    pub other_busy: f64,
    /// What was done: bytes, or operations.
    pub units: f64,
}

impl Cost {
    /// Of a bare loop: itself and the servers.
    pub fn of_bare_loop(mut self) -> Self {
        self.cpu.retain(|part, _| [SOURCE, DESTINATION, LOOP].contains(&part.as_str()));
        self
    }

    /// Of the product: everything but this process, which only watches.
    pub fn of_product(mut self) -> Self {
        self.cpu.remove(LOOP);
        self
    }

    /// Of capturing: neither the servers, which do the user's writes, nor the applier, which reads ahead.
    pub fn of_capture(self) -> Self {
        let mut cost = self.of_product();
        cost.cpu.retain(|part, _| ![SOURCE, DESTINATION, APPLIER].contains(&part.as_str()));
        cost
    }

    pub fn doing(mut self, units: u64) -> Self {
        self.units = units as f64;
        self
    }

    pub fn cpu_seconds(&self) -> f64 {
        self.cpu.values().sum()
    }

    pub fn cpu_per_unit(&self) -> f64 {
        self.cpu_seconds() / self.units
    }

    pub fn seconds_per_unit(&self) -> f64 {
        self.seconds / self.units
    }
}
