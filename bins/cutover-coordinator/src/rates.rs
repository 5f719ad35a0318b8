//! How fast a growing number grows, over the last seconds.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

/// Samples of one number.
#[derive(Default)]
pub struct Rate(VecDeque<(Instant, u64)>);

const OVER: Duration = Duration::from_secs(10);

impl Rate {
    pub fn sample(&mut self, value: u64) {
        let now = Instant::now();
        self.0.push_back((now, value));
        while self.0.front().is_some_and(|(at, _)| now.duration_since(*at) > OVER) {
            self.0.pop_front();
        }
    }

    /// Per second; 0 until two samples stand apart.
    pub fn per_second(&self) -> u64 {
        let (Some((from, first)), Some((to, last))) = (self.0.front(), self.0.back()) else { return 0 };
        let seconds = to.duration_since(*from).as_secs_f64();
        if seconds < 0.5 { 0 } else { (last.saturating_sub(*first) as f64 / seconds) as u64 }
    }
}

#[cfg(test)]
mod tests {
    use super::Rate;
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn is_taken_over_the_last_seconds() {
        let mut rate = Rate::default();
        assert_eq!(rate.per_second(), 0);
        for second in 0..60 {
            rate.sample(if second < 30 { 0 } else { (second - 29) * 100 });
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        assert_eq!(rate.per_second(), 100);
    }
}
