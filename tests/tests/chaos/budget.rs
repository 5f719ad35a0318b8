//! How long faults are tried, and from which seed.

use std::{
    str::FromStr,
    time::{Duration, Instant},
};

pub struct Budget {
    until: Instant,
    pub seed: u64,
}

impl Budget {
    /// MONGOFERRY_CHAOS_SECONDS, 180 if not set: no migration begins after that. MONGOFERRY_TEST_SEED draws the same faults
    /// in the same order again; when they strike is up to the machine.
    pub fn of_environment() -> Self {
        let seconds = variable("MONGOFERRY_CHAOS_SECONDS").unwrap_or(180);
        let seed = variable("MONGOFERRY_TEST_SEED").unwrap_or_else(rand::random);
        Self { until: Instant::now() + Duration::from_secs(seconds), seed }
    }

    pub fn is_used_up(&self) -> bool {
        Instant::now() >= self.until
    }
}

fn variable<T: FromStr>(name: &str) -> Option<T>
where
    T::Err: std::fmt::Debug,
{
    std::env::var(name).ok().map(|text| text.parse().expect(name))
}
