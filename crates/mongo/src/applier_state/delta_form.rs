//! How the updates of an oplog are applied on a destination. Decided once for each term.

use super::probe::has_update_stage;
use crate::{
    connection::Cluster,
    error::MongoError,
    facts::{ServerVersion, facts},
};

/// For what the plain operators `$set` and `$unset` on whole fields don't do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeltaForm {
    /// By the server's own stage for it.
    Stage,
    /// By a pipeline that does the same; where none is exact, by reading the document again.
    Pipeline,
    /// By reading the document again, always, as no pipeline is safe. These servers write what one did to their oplog as a
    /// difference, and abort while computing one of a document that holds two fields of one name (5.0.4 and 6.0.5, invariants in
    /// document_diff_serialization.cpp:81 and :83; 6.0.27 refuses with 7693400); which documents do can't be seen beforehand. And
    /// where they write the whole document, their secondaries replace a zero timestamp in it (SERVER-86474).
    Reread,
}

/// Asks the destination for its version and, where that counts, for the stage.
pub async fn delta_form(destination: &Cluster) -> Result<DeltaForm, MongoError> {
    let version = facts(destination).await?.version;
    Ok(match () {
        () if !version.is_at_least(5, 0) => DeltaForm::Pipeline,
        () if updates_safely_by_pipelines(version) && has_update_stage(destination).await? => DeltaForm::Stage,
        () => DeltaForm::Reread,
    })
}

/// 6.0.17 is the first that its release notes name; 6.0.27 was tried. The patch releases of 7.0 are those of that time.
fn updates_safely_by_pipelines(version: ServerVersion) -> bool {
    match (version.major, version.minor) {
        (6, 0) => version.patch >= 17,
        (7, 0) => version.patch >= 14,
        (major, _) => major >= 8,
    }
}

#[cfg(test)]
mod tests {
    use super::updates_safely_by_pipelines;
    use crate::facts::ServerVersion;

    #[test]
    fn only_late_patch_releases_are_given_pipelines() {
        let safe = |major, minor, patch| updates_safely_by_pipelines(ServerVersion::new(major, minor, patch));
        assert_eq!([safe(5, 0, 31), safe(6, 0, 16), safe(6, 3, 2), safe(7, 0, 13)], [false; 4]);
        assert_eq!([safe(6, 0, 17), safe(6, 0, 27), safe(7, 0, 14), safe(8, 0, 0)], [true; 4]);
    }
}
