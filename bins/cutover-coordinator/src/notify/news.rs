//! What is worth telling of a status, given what was told already. Pure.

use mongoferry_protocol::{Announced, Event, EventKind, FailureStatus, MigrationStatus, OutageStatus, Phase};

use crate::timer::EXPIRES_SOON;

/// A warning that comes back so soon is the same one.
const SAME_WARNING_MS: u64 = 5 * 60 * 1_000;

/// Notes in `announced` what `status` tells, and gives the events that nobody was told of yet.
pub fn news(announced: &mut Announced, status: &MigrationStatus, now_ms: u64) -> Vec<Event> {
    let mut telling = Telling { announced, status, now_ms, events: Vec::new() };
    telling.phases();
    telling.failures();
    telling.warnings();
    telling.slow_cutover();
    telling.events
}

struct Telling<'a> {
    announced: &'a mut Announced,
    status: &'a MigrationStatus,
    now_ms: u64,
    events: Vec<Event>,
}

/// Something that stands, by what tells it from others.
struct Warning {
    key: String,
    code: Option<String>,
    message: String,
    hint: Option<String>,
}

impl Telling<'_> {
    fn tell(&mut self, event: EventKind, message: String) -> &mut Event {
        self.announced.events += 1;
        let created = self.status.phases.first().map_or(0, |stay| stay.entered_at_ms);
        self.events.push(Event {
            id: format!("{}-{created}-{}", self.status.id, self.announced.events),
            number: self.announced.events,
            migration: self.status.id.clone(),
            event,
            at_ms: self.now_ms,
            phase: self.status.phase,
            code: None,
            message,
            hint: None,
            source: self.status.source.clone(),
            destination: self.status.destination.clone(),
        });
        self.events.last_mut().expect("was pushed")
    }

    /// Each that was entered, however short it was.
    fn phases(&mut self) {
        let told = usize::try_from(self.announced.phases).unwrap_or(usize::MAX);
        for stay in self.status.phases.iter().skip(told) {
            let event = self.tell(EventKind::Phase, format!("the migration is {}", stay.phase));
            (event.phase, event.at_ms) = (stay.phase, stay.entered_at_ms);
        }
        self.announced.phases = self.announced.phases.max(self.status.phases.len() as u64);
    }

    fn failures(&mut self) {
        let Some(failure) = self.status.failures.first() else { return };
        if self.announced.failed_at_ms == Some(failure.at_ms) {
            return;
        }
        self.announced.failed_at_ms = Some(failure.at_ms);
        let event = self.tell(EventKind::Failure, told(failure));
        (event.code, event.hint) = (Some(failure.code.clone()), Some(failure.hint.clone()));
    }

    fn warnings(&mut self) {
        let standing: Vec<Warning> =
            self.status.warnings.iter().map(of_warning).chain(self.status.outages.iter().map(of_outage)).collect();
        for warning in &standing {
            let known = self.announced.warnings.insert(warning.key.clone(), None);
            let is_new = match known {
                None => true,
                Some(None) => false,
                Some(Some(cleared_at_ms)) => self.now_ms > cleared_at_ms + SAME_WARNING_MS,
            };
            if is_new {
                let is_expiry = warning.code.as_deref() == Some(EXPIRES_SOON);
                let kind = if is_expiry { EventKind::Expiry } else { EventKind::Warning };
                let event = self.tell(kind, warning.message.clone());
                (event.code, event.hint) = (warning.code.clone(), warning.hint.clone());
            }
        }
        self.clear(&standing);
    }

    /// A warning is told to be over once it has been for a while: most come and go while something is tried again.
    fn clear(&mut self, standing: &[Warning]) {
        let mut over = Vec::new();
        let now_ms = self.now_ms;
        self.announced.warnings.retain(|key, cleared_at_ms| {
            if standing.iter().any(|warning| warning.key == *key) {
                return true;
            }
            let cleared_at_ms = *cleared_at_ms.get_or_insert(now_ms);
            let lasts = now_ms <= cleared_at_ms + SAME_WARNING_MS;
            if !lasts {
                over.push(key.clone());
            }
            lasts
        });
        for key in over {
            let (what, code) = (key.clone(), key.split(' ').next().filter(|code| code.starts_with("MF-")));
            let code = code.map(ToOwned::to_owned);
            self.tell(EventKind::WarningCleared, format!("no longer: {what}")).code = code;
        }
    }

    fn slow_cutover(&mut self) {
        let Some(begun_at_ms) = cutover_begun_at_ms(self.status) else { return };
        let Some(predicted_ms) = self.status.predicted_downtime_ms else { return };
        let took_ms = self.now_ms.saturating_sub(begun_at_ms);
        if took_ms <= predicted_ms || self.announced.slow_cutover_at_ms == Some(begun_at_ms) {
            return;
        }
        self.announced.slow_cutover_at_ms = Some(begun_at_ms);
        let message = format!("the cutover takes longer than the {predicted_ms} ms that were predicted");
        let hint = "It goes on; until it is finalizing it is taken back by itself if it takes too long. See `mongoferry status`.";
        self.tell(EventKind::SlowCutover, message).hint = Some(hint.into());
    }
}

/// While one is under way.
fn cutover_begun_at_ms(status: &MigrationStatus) -> Option<u64> {
    if !matches!(status.phase, Phase::Draining | Phase::Verifying | Phase::Finalizing) {
        return None;
    }
    status.phases.iter().rev().find(|stay| stay.phase == Phase::Draining).map(|stay| stay.entered_at_ms)
}

fn told(failure: &FailureStatus) -> String {
    [vec![failure.message.clone()], failure.causes.clone()].concat().join(": ")
}

fn of_warning(warning: &FailureStatus) -> Warning {
    Warning {
        key: format!("{} {}", warning.code, warning.instance).trim_end().to_owned(),
        code: Some(warning.code.clone()),
        message: told(warning),
        hint: Some(warning.hint.clone()),
    }
}

fn of_outage(outage: &OutageStatus) -> Warning {
    Warning {
        key: format!("the {} is down", outage.party),
        code: None,
        message: format!("the {} is down: {}", outage.party, outage.reason),
        hint: Some("Nothing, if it comes back by itself; work goes on from where it stands.".into()),
    }
}

#[cfg(test)]
mod tests {
    use mongoferry_protocol::{Announced, Event, EventKind, FailureStatus, MigrationStatus, Phase, PhaseStay, Retry};
    use serde_json::json;

    use super::{SAME_WARNING_MS, news};
    use crate::timer::EXPIRES_SOON;

    /// As it would come over HTTP from a migration that has entered these phases, at 10, 20, ….
    fn status(phases: &[Phase]) -> MigrationStatus {
        let enter = |(number, &phase)| PhaseStay { phase, entered_at_ms: (number as u64 + 1) * 10, duration_ms: 0 };
        let stays: Vec<PhaseStay> = phases.iter().enumerate().map(enter).collect();
        let mut status = json!({
            "id": "shop", "phase": phases.last(), "phases": stays, "source": "rs0/a:1", "destination": "rs1/b:1",
            "collections": [], "indexes": [], "copiers": [], "failures": [], "warnings": [], "outages": [],
            "canCommit": false, "gapClosed": false, "writeBlocks": [], "predictedParts": [],
        });
        for name in [
            "entriesCaptured",
            "changesApplied",
            "documents",
            "documentsTotal",
            "bytes",
            "bytesTotal",
            "bytesPerSecond",
            "repeatedDocuments",
            "busBytes",
            "verifiedDocuments",
        ] {
            status[name] = json!(0);
        }
        serde_json::from_value(status).expect("is a status")
    }

    fn trouble(code: &str) -> FailureStatus {
        FailureStatus {
            code: code.into(),
            message: "it is full".into(),
            hint: "Empty it.".into(),
            role: "copier".into(),
            instance: "copier-1".into(),
            causes: vec!["no room".into()],
            retry: Retry::Soon,
            at_ms: 7,
        }
    }

    fn told(events: &[Event]) -> Vec<(&'static str, Phase, Option<&str>)> {
        events.iter().map(|event| (event.event.as_str(), event.phase, event.code.as_deref())).collect()
    }

    #[test]
    fn each_phase_is_told_once_however_short_it_was() {
        let mut announced = Announced::default();
        let first = news(&mut announced, &status(&[Phase::Created, Phase::Validating]), 25);
        assert_eq!(told(&first), [("phase", Phase::Created, None), ("phase", Phase::Validating, None)]);
        assert_eq!((first[1].id.as_str(), first[1].at_ms), ("shop-10-2", 20));
        assert_eq!(news(&mut announced, &status(&[Phase::Created, Phase::Validating]), 26), []);
        let next = news(&mut announced, &status(&[Phase::Created, Phase::Validating, Phase::Starting]), 31);
        assert_eq!((told(&next), next[0].id.as_str()), (vec![("phase", Phase::Starting, None)], "shop-10-3"));
    }

    #[test]
    fn a_warning_is_told_when_it_comes_and_when_it_has_been_gone_for_a_while() {
        let mut announced = Announced::default();
        let calm = status(&[Phase::Ready]);
        let warned = MigrationStatus { warnings: vec![trouble("MF-BUS-6")], ..calm.clone() };
        news(&mut announced, &calm, 10);
        let raised = news(&mut announced, &warned, 11);
        assert_eq!(told(&raised), [("warning", Phase::Ready, Some("MF-BUS-6"))]);
        assert_eq!(raised[0].message, "it is full: no room");
        // It comes and goes: the same.
        for at in [12, 13, SAME_WARNING_MS] {
            assert_eq!(news(&mut announced, &calm, at), []);
            assert_eq!(news(&mut announced, &warned, at + 1), []);
        }
        assert_eq!(news(&mut announced, &calm, SAME_WARNING_MS + 2), []);
        let cleared = news(&mut announced, &calm, 2 * SAME_WARNING_MS + 3);
        assert_eq!(told(&cleared), [("warning-cleared", Phase::Ready, Some("MF-BUS-6"))]);
        assert_eq!(told(&news(&mut announced, &warned, 2 * SAME_WARNING_MS + 4)).len(), 1);
    }

    #[test]
    fn a_failure_is_told_once_and_the_expiry_by_its_own_name() {
        let mut announced = Announced::default();
        let failed = MigrationStatus { failures: vec![trouble("MF-MONGO-1")], ..status(&[Phase::Failed]) };
        let events = news(&mut announced, &failed, 11);
        assert_eq!(events.last().map(|event| event.event), Some(EventKind::Failure));
        assert_eq!(news(&mut announced, &failed, 12), []);
        let expiring = MigrationStatus { warnings: vec![trouble(EXPIRES_SOON)], ..status(&[Phase::Failed]) };
        assert_eq!(told(&news(&mut announced, &expiring, 13)), [("expiry", Phase::Failed, Some(EXPIRES_SOON))]);
    }
}
