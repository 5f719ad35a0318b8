//! Deltas that set or remove whole fields of the document and nothing else: most of those that applications cause. The
//! operators `$set` and `$unset` do that in place, behind all others if new, and leave every other byte as it is, also where
//! two fields have one name: like the update that the source carried out, they change the first.
//!
//! They are what a server replicates most plainly: no difference between two documents is computed, and a zero timestamp
//! arrives on its secondaries as it is.

use bson::RawDocumentBuf;

use super::change::{Delta, Place, Value};
use crate::element::{DocumentWriter, kind};

/// `{$set, $unset}`; nothing if the delta does more than that, does nothing, or a name would be taken for something else.
pub(super) fn modifiers(delta: &Delta<'_>) -> Option<RawDocumentBuf> {
    let root = &delta.root;
    if !root.moved_to_end.is_empty() || root.places.is_empty() || !root.places.iter().all(|(name, _)| is_plain(name)) {
        return None;
    }
    let (mut set, mut removed) = (Operator::default(), Operator::default());
    for (name, place) in &root.places {
        match place {
            Place::Set(value) => set.write(name, delta.values[*value]),
            Place::Removed => removed.write(name, Value { kind: kind::BOOL, bytes: &[1] }),
            Place::Within(_) => return None,
        }
    }
    let mut modifiers = DocumentWriter::new();
    for (name, operator) in [(b"$set".as_slice(), set), (b"$unset".as_slice(), removed)] {
        if operator.is_used {
            modifiers.write(kind::DOCUMENT, name, operator.fields.finish().as_bytes());
        }
    }
    Some(modifiers.finish())
}

struct Operator {
    fields: DocumentWriter,
    is_used: bool,
}

impl Default for Operator {
    fn default() -> Self {
        Self { fields: DocumentWriter::new(), is_used: false }
    }
}

impl Operator {
    fn write(&mut self, name: &[u8], value: Value<'_>) {
        self.fields.write(value.kind, name, value.bytes);
        self.is_used = true;
    }
}

/// An operator would take a dot for a path and a dollar for an operator.
fn is_plain(name: &[u8]) -> bool {
    !name.is_empty() && name[0] != b'$' && !name.contains(&b'.') && name != b"_id"
}
