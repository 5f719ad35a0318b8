//! Divides what the copy may do among the copiers that live.

use std::collections::BTreeSet;

use mongoferry_bus::key;
use mongoferry_protocol::{CopyShare, CopyShares, Role, Throttle};

use crate::{coordinate::Coordinator, coordinator_error::CoordinatorError, copy_progress::CopyProgress};

impl Coordinator {
    /// Writes the division when it has changed; from the beginning, so that the first range is held back too.
    pub async fn divide_copy(&self) -> Result<(), CoordinatorError> {
        let throttle = self.throttle;
        let standing: Option<CopyShares> = self.view.mirror.get(&key::copy_shares())?;
        let is_over = self.phase.phase().is_final() || self.phase.phase().applies();
        if is_over || (!throttle.limits() && standing.is_none()) {
            return Ok(());
        }
        let shares = divide(&throttle, &self.view.liveness.alive(Role::Copier), &self.copy);
        if standing.as_ref() != Some(&shares) {
            self.stage.bus.records().put(&key::copy_shares(), &shares).await?;
        }
        Ok(())
    }
}

/// Those that hold a range come first, so that none is held for long by somebody who waits; no more get a share than have
/// something to do.
fn divide(throttle: &Throttle, alive: &BTreeSet<String>, copy: &CopyProgress) -> CopyShares {
    if !throttle.limits() {
        return CopyShares::default();
    }
    let wanted = if copy.unplanned.is_empty() { copy.ranges_left.max(1) } else { u32::MAX };
    let places = throttle.ranges_at_once.unwrap_or(u32::MAX).min(wanted).min(alive.len() as u32);
    let holders = alive.iter().filter(|copier| copy.holders.contains(*copier));
    let others = alive.iter().filter(|copier| !copy.holders.contains(*copier));
    let part = |whole: Option<u64>| whole.map(|whole| (whole / u64::from(places.max(1))).max(1));
    let share = CopyShare {
        documents_per_second: part(throttle.documents_per_second),
        bytes_per_second: part(throttle.bytes_per_second),
    };
    let shares = holders.chain(others).take(places as usize).map(|copier| (copier.clone(), share)).collect();
    CopyShares { limits: true, shares }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use mongoferry_protocol::{CopyShare, Throttle};

    use super::divide;
    use crate::copy_progress::CopyProgress;

    fn names(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|&name| name.into()).collect()
    }

    fn shared(throttle: Throttle, holders: &[&str], ranges_left: u32) -> Vec<(String, CopyShare)> {
        let copy = CopyProgress { holders: names(holders), ranges_left, ..CopyProgress::default() };
        divide(&throttle, &names(&["a", "b", "c"]), &copy).shares.into_iter().collect()
    }

    #[test]
    fn the_parts_are_not_more_than_the_whole() {
        let throttle = Throttle { bytes_per_second: Some(90), documents_per_second: Some(2), ranges_at_once: None };
        let share =
            |bytes, documents| CopyShare { bytes_per_second: Some(bytes), documents_per_second: Some(documents) };
        let all = ["a", "b", "c"].map(|name| (name.to_owned(), share(30, 1)));
        assert_eq!(shared(throttle, &["b"], 9), all);
        // The last range has it all.
        assert_eq!(shared(throttle, &["b"], 1), [("b".to_owned(), share(90, 2))]);
        assert!(shared(Throttle::default(), &["b"], 9).is_empty());
    }

    #[test]
    fn who_holds_a_range_comes_first() {
        let throttle = Throttle { ranges_at_once: Some(2), ..Throttle::default() };
        let named =
            |holders: &[&str]| shared(throttle, holders, 9).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        assert_eq!(named(&[]), ["a", "b"]);
        assert_eq!(named(&["c"]), ["a", "c"]);
        assert_eq!(named(&["b", "c"]), ["b", "c"]);
    }
}
