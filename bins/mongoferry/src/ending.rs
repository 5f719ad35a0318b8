//! Whether and how a migration has ended, by what its coordinator says. Pure.

use mongoferry_protocol::{FailureStatus, MigrationStatus, Phase, Report, Retry};

use crate::exit::Exit;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    Committed,
    Failed,
    Cancelled,
    Rehearsed,
}

/// An end with all that is to be told of it.
pub struct End {
    pub ending: Ending,
    pub status: MigrationStatus,
    pub report: Report,
}

/// `None` while it goes on.
pub fn ending(phase: Phase) -> Option<Ending> {
    match phase {
        Phase::Committed => Some(Ending::Committed),
        Phase::Failed => Some(Ending::Failed),
        Phase::Cancelled => Some(Ending::Cancelled),
        Phase::Rehearsed => Some(Ending::Rehearsed),
        Phase::Created
        | Phase::Validating
        | Phase::Starting
        | Phase::Copying
        | Phase::CatchingUp
        | Phase::Ready
        | Phase::Draining
        | Phase::Verifying
        | Phase::Finalizing
        | Phase::Paused
        | Phase::Expired => None,
    }
}

impl End {
    pub fn exit(&self) -> Exit {
        match self.ending {
            Ending::Committed | Ending::Rehearsed | Ending::Cancelled => Exit::Done,
            Ending::Failed => failed_exit(self.report.difference_count, &self.status.failures),
        }
    }
}

/// Differences are a result, not something that an operator forgot: 1.
pub fn failed_exit(difference_count: u64, failures: &[FailureStatus]) -> Exit {
    let worst_needs_operator = failures.iter().any(|failure| failure.retry != Retry::Soon);
    if difference_count == 0 && worst_needs_operator { Exit::Operator } else { Exit::Failed }
}

#[cfg(test)]
mod tests {
    use mongoferry_protocol::{FailureStatus, Phase, Retry};

    use super::{ending, failed_exit};
    use crate::exit::Exit;

    fn failure(retry: Retry) -> FailureStatus {
        FailureStatus {
            code: "MF-X-1".into(),
            message: String::new(),
            hint: String::new(),
            role: "copier".into(),
            instance: "copier-1".into(),
            causes: Vec::new(),
            retry,
            at_ms: 0,
        }
    }

    #[test]
    fn four_phases_end_a_migration_for_the_launcher() {
        let ends = Phase::ALL.iter().filter(|&&phase| ending(phase).is_some());
        assert_eq!(
            ends.copied().collect::<Vec<_>>(),
            [Phase::Committed, Phase::Rehearsed, Phase::Failed, Phase::Cancelled]
        );
    }

    #[test]
    fn an_operator_is_called_where_starting_again_would_not_help() {
        let cases = [
            (0, vec![], Exit::Failed),
            (0, vec![Retry::Soon], Exit::Failed),
            (0, vec![Retry::Soon, Retry::AfterFix], Exit::Operator),
            (0, vec![Retry::Never], Exit::Operator),
            (3, vec![Retry::Never], Exit::Failed),
        ];
        for (differences, retries, exit) in cases {
            let failures: Vec<_> = retries.into_iter().map(failure).collect();
            assert_eq!(failed_exit(differences, &failures), exit);
        }
    }
}
