//! What the bus already knows of this migration.

use mongoferry_bus::{Bus, BusError, key};
use mongoferry_protocol::{MigrationSettings, Phase, PhaseRecord, ValidationReport};

/// A migration that has begun: collections that stand on both sides are its own by now.
pub(crate) struct Continuation {
    pub(crate) settings: MigrationSettings,
    /// What was found before it began.
    pub(crate) earlier: Option<ValidationReport>,
}

impl Continuation {
    /// `None` if the migration is not past its validation yet.
    pub(crate) async fn read(bus: &Bus) -> Result<Option<Self>, BusError> {
        let phase = bus.records().get(&key::phase()).await?;
        if !phase.is_some_and(|phase| is_past_validation(&phase.value)) {
            return Ok(None);
        }
        let Some(settings) = bus.records().get(&key::settings()).await? else { return Ok(None) };
        let earlier = bus.records().get(&key::validation()).await?.map(|report| report.value);
        Ok(Some(Self { settings: settings.value, earlier }))
    }
}

fn is_past_validation(record: &PhaseRecord) -> bool {
    !matches!(record.underlying(), Phase::Created | Phase::Validating)
}

#[cfg(test)]
mod tests {
    use mongoferry_protocol::{Phase, PhaseRecord};

    use super::is_past_validation;

    #[test]
    fn a_failed_validation_is_made_again_whole() {
        for (phase, came_from, past) in [
            (Phase::Created, None, false),
            (Phase::Validating, None, false),
            (Phase::Failed, Some(Phase::Validating), false),
            (Phase::Starting, None, true),
            (Phase::Paused, Some(Phase::Copying), true),
            (Phase::Failed, Some(Phase::Finalizing), true),
        ] {
            let record = PhaseRecord { phase, came_from, ..PhaseRecord::created() };
            assert_eq!(is_past_validation(&record), past, "{phase}");
        }
    }
}
