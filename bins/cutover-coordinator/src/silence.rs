//! Whether users still write to the source: asked before the point of no return, and once more before the commit.

use mongoferry_protocol::Optime;

use crate::{coordinate::Coordinator, coordinator_error::CoordinatorError};

/// What an answer is worth ends with the phase in which it was asked for.
#[derive(Clone, Copy, Debug)]
pub struct Silence {
    /// Phases entered by then.
    phases: usize,
    until: Optime,
}

impl Coordinator {
    /// The answer comes with the captured oplog. A note, unlike what a deposed primary says of itself, is on a majority.
    pub async fn ask_for_silence(&mut self) -> Result<(), CoordinatorError> {
        let until = self.note_or_last_optime().await?;
        tracing::info!(%until, "everything up to here is captured before it goes on");
        self.silence = Some(Silence { phases: self.phase.record().history.len(), until });
        Ok(())
    }

    pub fn silent_until(&self) -> Option<Optime> {
        let phases = self.phase.record().history.len();
        self.silence.filter(|silence| silence.phases == phases).map(|silence| silence.until)
    }
}
