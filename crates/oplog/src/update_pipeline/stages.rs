//! Deltas that set or remove whole fields of the document and nothing else: most of those that applications cause. The stages
//! `$set` and `$unset` do that in place, behind all others if new, and leave every other byte as it is.

use bson::{RawArrayBuf, RawDocumentBuf, raw::cstr};

use super::change::{Delta, Place, Value};
use crate::element::{DocumentWriter, kind};

/// Nothing if the delta does more than that, or a name would be taken for something else.
pub(super) fn plain_stages(delta: &Delta<'_>) -> Option<RawArrayBuf> {
    let root = &delta.root;
    if !root.moved_to_end.is_empty() || !root.places.iter().all(|(name, _)| is_plain(name)) {
        return None;
    }
    let (mut removed, mut set) = (DocumentWriter::new(), DocumentWriter::new());
    let (mut removed_count, mut set_count) = (0_usize, 0_usize);
    for (name, place) in &root.places {
        match place {
            Place::Set(value) => {
                set.write(kind::DOCUMENT, name, literal(delta.values[*value]).as_bytes());
                set_count += 1;
            }
            Place::Removed => {
                removed.write(kind::STRING, removed_count.to_string().as_bytes(), &super::expression::string(name));
                removed_count += 1;
            }
            Place::Within(_) => return None,
        }
    }
    let mut stages = RawArrayBuf::new();
    for (count, stage, kind, argument) in [
        (removed_count, b"$unset".as_slice(), kind::ARRAY, removed),
        (set_count, b"$set".as_slice(), kind::DOCUMENT, set),
    ] {
        if count > 0 {
            let mut writer = DocumentWriter::new();
            writer.write(kind, stage, argument.finish().as_bytes());
            stages.push(writer.finish());
        }
    }
    Some(stages)
}

/// A stage would take a dot for a path and a dollar for an operator.
fn is_plain(name: &[u8]) -> bool {
    !name.is_empty() && name[0] != b'$' && !name.contains(&b'.')
}

fn literal(value: Value<'_>) -> RawDocumentBuf {
    let mut writer = DocumentWriter::new();
    writer.write(value.kind, cstr!("$literal").as_str().as_bytes(), value.bytes);
    writer.finish()
}
