//! What a command ends with, as a number for scripts.

use mongoferry_protocol::{Explain, Retry};

use crate::launcher_error::LauncherError;

/// What the command's exit code tells, as the README has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    Done,
    /// Failed with the state kept: starting again continues.
    Failed,
    /// The arguments, or the state directory they name, do not fit.
    Usage,
    /// Validation found errors, or an operator must act first.
    Operator,
    /// Stopped by a signal; starting again continues.
    Stopped,
    /// The exit code of a child that did all the work.
    Child(u8),
}

impl Exit {
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Operator => 3,
            Self::Stopped => 130,
            Self::Child(code) => code,
        }
    }

    pub fn of_retry(retry: Retry) -> Self {
        match retry {
            Retry::Soon => Self::Failed,
            Retry::AfterFix | Retry::Never => Self::Operator,
        }
    }

    pub fn of_error(error: &LauncherError) -> Self {
        match error {
            LauncherError::ForeignDirectory { .. }
            | LauncherError::OtherMigration { .. }
            | LauncherError::OtherCluster { .. }
            | LauncherError::OtherFormat { .. }
            | LauncherError::WasCancelled { .. }
            | LauncherError::NoHome
            | LauncherError::ApiAddress { .. }
            | LauncherError::NobodyToAsk { .. }
            | LauncherError::DropArgs(_)
            | LauncherError::Uri(_) => Self::Usage,
            other => Self::of_retry(other.retry()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Exit;
    use crate::launcher_error::LauncherError;

    #[test]
    fn a_foreign_state_directory_is_a_matter_of_usage_and_a_busy_one_of_the_operator() {
        let dir = std::path::PathBuf::from("/x");
        let cases = [
            (LauncherError::ForeignDirectory { dir: dir.clone() }, 2),
            (LauncherError::OtherMigration { dir: dir.clone(), theirs: "a".into(), ours: "b".into() }, 2),
            (LauncherError::NoHome, 2),
            (LauncherError::NobodyToAsk { command: "cutover" }, 2),
            (LauncherError::StateInUse { dir, pid: Some(1) }, 3),
            (LauncherError::CutoverTakenBack { reason: "too slow".into() }, 1),
        ];
        for (error, code) in cases {
            assert_eq!(Exit::of_error(&error).code(), code, "{error}");
        }
    }
}
