//! How long a property is tried: MONGOFERRY_PROPERTY_SECONDS, by default the time of 512 cases.

use std::time::{Duration, Instant};

use proptest::{
    prelude::*,
    test_runner::{Config, TestCaseError, TestRunner},
};

/// Tries `property` on random values; a failure panics with the smallest value that shows it.
pub fn check<S: Strategy>(strategy: &S, property: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let seconds = std::env::var("MONGOFERRY_PROPERTY_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(0);
    let until = Instant::now() + Duration::from_secs(seconds);
    loop {
        let config = Config { cases: 512, failure_persistence: None, ..Config::default() };
        TestRunner::new(config).run(strategy, &property).unwrap_or_else(|failure| panic!("{failure}"));
        if Instant::now() >= until {
            return;
        }
    }
}
