//! What is done about an index that refuses a document which is only on its way to what it was on the source.
//!
//! A change that is replayed over a later copy can make a document what it never was on the source: with two arrays under one
//! compound index, with a text where a point belongs. Indexes of the kind that refused it then go; the finalization finds
//! them missing and builds them again.

use bson::{RawDocument, doc};
use mongoferry_protocol::Namespace;

use super::{InsertForm, LaneWriter};
use crate::{applier_state::ApplyError, catalog::list_indexes, error::MongoError};

const INDEX_NOT_FOUND: i32 = 27;

/// The kinds of index that a document may not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChoosyIndex {
    /// Takes one array only.
    Compound,
    Sphere,
    Plane,
    /// Takes no array.
    Hashed,
    /// Reads a document's language.
    Text,
}

impl ChoosyIndex {
    /// By the code with which a server refuses the document; the same from 4.2.6 to 6.0.27.
    pub(crate) fn of_code(code: i32) -> Option<Self> {
        match code {
            171 => Some(Self::Compound),
            16755 => Some(Self::Sphere),
            13027 | 13068 | 16804 => Some(Self::Plane),
            16766 => Some(Self::Hashed),
            17261 | 17262 => Some(Self::Text),
            _ => None,
        }
    }

    fn is_kind_of(self, index: &RawDocument) -> bool {
        let Ok(key) = index.get_document("key") else { return false };
        let has = |kind: &str| key.iter().flatten().any(|(_, value)| value.as_str() == Some(kind));
        match self {
            Self::Compound => key.iter().count() > 1,
            Self::Sphere => has("2dsphere"),
            Self::Plane => has("2d"),
            Self::Hashed => has("hashed"),
            Self::Text => has("text"),
        }
    }
}

impl LaneWriter {
    /// Drops the indexes of this kind of a collection. False if there is none.
    pub(super) async fn make_room(&mut self, namespace: &Namespace, kind: ChoosyIndex) -> Result<bool, ApplyError> {
        let mut dropped = false;
        for index in list_indexes(&self.cluster, namespace).await? {
            if !kind.is_kind_of(&index) {
                continue;
            }
            let name = index.get_str("name").map_err(|error| self.cluster.unexpected("listIndexes", error))?;
            self.require_term().await?;
            tracing::warn!(%namespace, index = name, "an index can't hold a document on its way; it is built again at the end");
            let command =
                doc! { "dropIndexes": namespace.collection(), "index": name, "writeConcern": { "w": "majority" } };
            match self.cluster.command(namespace.database(), command).await {
                // Another lane was faster.
                Err(MongoError::Command { cause, .. }) if cause.code == Some(INDEX_NOT_FOUND) => {}
                other => drop(other?),
            }
            dropped = true;
        }
        Ok(dropped)
    }

    /// A drop is no part of a transaction, so a transaction of its own tells right before it whether the term has ended: the index may be
    /// one of the finished migration by then.
    async fn require_term(&mut self) -> Result<(), ApplyError> {
        let touched = self.write_piece(&[], InsertForm::Insert, None, &mut 0).await;
        touched.map_err(|reason| reason.into_error(|| self.stale_term()))
    }
}

#[cfg(test)]
mod tests {
    use bson::rawdoc;

    use super::ChoosyIndex;

    #[test]
    fn only_the_kind_that_refused_goes() {
        let plain = rawdoc! {"key": {"a": 1}, "name": "a"};
        let compound = rawdoc! {"key": {"a": 1, "b": -1}, "name": "a b"};
        let sphere = rawdoc! {"key": {"place": "2dsphere", "n": 1}, "name": "place n"};
        let kinds = |code| {
            let kind = ChoosyIndex::of_code(code).expect("is about an index");
            [&plain, &compound, &sphere].map(|index| kind.is_kind_of(index))
        };
        assert_eq!(kinds(171), [false, true, true]);
        assert_eq!(kinds(16755), [false, false, true]);
        assert_eq!(kinds(16766), [false, false, false]);
        assert_eq!(ChoosyIndex::of_code(11000), None);
    }
}
