//! How long random histories are tried, and from which seed.

use std::{
    str::FromStr,
    time::{Duration, Instant},
};

pub struct Budget {
    pub until: Instant,
    /// The one history to play again.
    pub only: Option<u64>,
}

impl Budget {
    /// MONGOFERRY_PROPERTY_SECONDS, 180 if not set; MONGOFERRY_TEST_SEED plays one history again.
    pub fn of_environment() -> Self {
        let seconds = variable("MONGOFERRY_PROPERTY_SECONDS").unwrap_or(180);
        Self { until: Instant::now() + Duration::from_secs(seconds), only: variable("MONGOFERRY_TEST_SEED") }
    }

    /// What is left of it, divided by `parts`.
    pub fn share(&self, parts: usize) -> Duration {
        let parts = u32::try_from(parts).expect("few");
        self.until.saturating_duration_since(Instant::now()) / parts.max(1)
    }
}

fn variable<T: FromStr>(name: &str) -> Option<T>
where
    T::Err: std::fmt::Debug,
{
    std::env::var(name).ok().map(|text| text.parse().expect(name))
}
