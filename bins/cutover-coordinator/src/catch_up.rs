//! How long catching up still takes, by how fast the lag has shrunk lately.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

/// Samples of the whole lag, in milliseconds.
#[derive(Default)]
pub struct CatchUp(VecDeque<(Instant, u64)>);

const OVER: Duration = Duration::from_secs(30);
/// Less is noise.
const AT_LEAST: Duration = Duration::from_secs(3);

impl CatchUp {
    /// `None` while the lag is not known.
    pub fn sample(&mut self, lag_ms: Option<u64>) {
        let Some(lag_ms) = lag_ms else { return self.0.clear() };
        let now = Instant::now();
        self.0.push_back((now, lag_ms));
        while self.0.front().is_some_and(|(at, _)| now.duration_since(*at) > OVER) {
            self.0.pop_front();
        }
    }

    /// Seconds until there is no lag, if it goes on shrinking as it did; `None` if it does not shrink, or that is not known yet.
    pub fn eta_seconds(&self) -> Option<u64> {
        let ((from, first), (to, last)) = (self.0.front()?, self.0.back()?);
        let over = to.duration_since(*from);
        let shrunk_ms = first.checked_sub(*last).filter(|shrunk| *shrunk > 0 && over >= AT_LEAST)?;
        Some((*last as f64 / shrunk_ms as f64 * over.as_secs_f64()).ceil() as u64)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::CatchUp;

    #[tokio::test(start_paused = true)]
    async fn is_known_while_the_lag_shrinks() {
        let mut catch_up = CatchUp::default();
        for lag_ms in (0..60_u64).map(|second| 100_000 - second * 500) {
            catch_up.sample(Some(lag_ms));
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        // 70.5 s are left, half a second a second.
        assert_eq!(catch_up.eta_seconds(), Some(141));
        for _ in 0..40 {
            catch_up.sample(Some(70_500));
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        assert_eq!(catch_up.eta_seconds(), None);
        catch_up.sample(None);
        assert_eq!(catch_up.eta_seconds(), None);
    }
}
