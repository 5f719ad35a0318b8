//! Orders to compare again what is known to differ, and waits for what comes of it.

use std::time::Duration;

use mongoferry_protocol::Comparison;
use tokio::time::Instant;

use crate::{
    coordinator_api::{CoordinatorApi, Order},
    launcher_error::LauncherError,
    status_text::comparison_phrase,
};

const LOOK_EVERY: Duration = Duration::from_millis(250);
/// A coordinator that was killed is started again within this time.
const SILENCE_ENDURED: Duration = Duration::from_secs(30);

/// The command may be given up at any time: it goes on without it, and the same command waits for it again.
pub async fn compare_again(api: &CoordinatorApi, repair: bool) -> Result<Comparison, LauncherError> {
    let before = api.status().await?.comparison;
    api.order(Order::Verify { repair }).await?;
    let (mut heard_at, mut told) = (Instant::now(), String::new());
    loop {
        match api.status().await {
            Ok(status) => {
                heard_at = Instant::now();
                let ours = status.comparison.filter(|one| is_ours(one, repair, before.as_ref()));
                if let Some(ours) = ours {
                    let phrase = comparison_phrase(&ours);
                    if phrase != told {
                        eprintln!("{phrase}");
                    }
                    told = phrase;
                    if !ours.is_running() {
                        return Ok(ours);
                    }
                }
            }
            Err(error) if heard_at.elapsed() > SILENCE_ENDURED => return Err(error),
            Err(_) => {}
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// The order made a new one, unless one like it was under way.
fn is_ours(one: &Comparison, repair: bool, before: Option<&Comparison>) -> bool {
    let is_new = before.is_none_or(|before| one.number > before.number || before.is_running());
    is_new && one.repair == repair
}

#[cfg(test)]
mod tests {
    use mongoferry_protocol::{Comparison, ComparisonState};

    use super::is_ours;

    fn comparison(number: u32, repair: bool, state: ComparisonState) -> Comparison {
        Comparison {
            number,
            repair,
            cutover: 0,
            state,
            looked_at: 0,
            repaired: 0,
            differing: Vec::new(),
            differing_count: 0,
            remarks: Vec::new(),
            ordered_at_ms: 0,
            finished_at_ms: 0,
        }
    }

    #[test]
    fn what_was_over_before_is_not_the_answer() {
        use ComparisonState::{Equal, Running};
        let finished = comparison(2, true, Equal);
        assert!(!is_ours(&finished, true, Some(&finished)), "the status is a moment old");
        assert!(is_ours(&comparison(3, true, Running), true, Some(&finished)));
        let under_way = comparison(2, true, Running);
        assert!(is_ours(&under_way, true, Some(&under_way)));
        assert!(
            !is_ours(&comparison(2, false, Running), true, Some(&comparison(2, false, Running))),
            "will be replaced"
        );
        assert!(is_ours(&comparison(1, true, Running), true, None));
    }
}
