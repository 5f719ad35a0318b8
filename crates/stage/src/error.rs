//! What a stage ends with if not well: any error that explains itself.

use mongoferry_protocol::{Explain, Failure, Retry, Role};

pub type StageResult = Result<(), StageError>;

/// Takes any [`Explain`] through `?`.
#[derive(Debug)]
pub struct StageError(Box<dyn Explain + Send + Sync>);

impl<E: Explain + Send + Sync + 'static> From<E> for StageError {
    fn from(error: E) -> Self {
        Self(Box::new(error))
    }
}

impl StageError {
    pub fn retry(&self) -> Retry {
        self.0.retry()
    }

    pub fn code(&self) -> &'static str {
        self.0.code()
    }

    pub fn failure(&self, role: Role, instance: &str) -> Failure {
        Failure::of(role, instance, &*self.0)
    }
}
