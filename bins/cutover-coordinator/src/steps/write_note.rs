//! The sentinel of a cutover: a note in the source's oplog, written after the operator said that writes have ended.

use bson::doc;
use mongoferry_mongo::{append_note, last_optimes, wait_for_majority};
use mongoferry_protocol::Optime;

use crate::{coordinate::Coordinator, coordinator_error::CoordinatorError};

impl Coordinator {
    /// Once the note is applied on the destination, so is everything before it. Without the privilege for a note the
    /// source's last optime, read after the request, serves as well; it only can't be told from an earlier entry.
    pub(super) async fn write_note(&mut self) -> Result<(), CoordinatorError> {
        self.lease.check()?;
        let silent_from = self.note_or_last_optime().await?;
        tracing::info!(%silent_from, "the source is taken as silent from here on");
        self.phase
            .change(|record| {
                if let Some(cutover) = &mut record.cutover {
                    cutover.silent_from = Some(silent_from);
                    cutover.confirmed_from.get_or_insert(silent_from);
                }
            })
            .await
    }

    /// Behind everything that the source has confirmed to anybody so far.
    pub async fn note_or_last_optime(&self) -> Result<Optime, CoordinatorError> {
        let number = self.phase.record().cutover.as_ref().map_or(0, |cutover| cutover.number);
        let note = doc! {"mongoferry": self.settings.id.as_str(), "cutover": number};
        match append_note(&self.source, note).await? {
            Some(optime) => Ok(optime),
            None => self.last_majority_optime().await,
        }
    }

    async fn last_majority_optime(&self) -> Result<Optime, CoordinatorError> {
        let last = last_optimes(&self.source).await?.last;
        wait_for_majority(&self.source, last).await?;
        Ok(last)
    }
}
