//! The `diff` of a delta with `$v: 2`, as 5.0 and later write it.

use bson::RawDocument;

use super::{
    DEEPEST_READ,
    change::{Delta, Form, Level, Place, Value, index},
};
use crate::element::{Element, elements};

/// Nothing if some part of it is not known, such as the binary sub-diffs of later servers.
pub(super) fn parse(diff: &RawDocument) -> Option<Delta<'_>> {
    let mut values = Vec::new();
    let root = level(diff, &mut values, DEEPEST_READ)?;
    (root.form == Form::Document).then_some(Delta { root, values })
}

/// Nothing if it reaches deeper than `levels`.
fn level<'a>(diff: &'a RawDocument, values: &mut Vec<Value<'a>>, levels: usize) -> Option<Level<'a>> {
    let levels = levels.checked_sub(1)?;
    // A field may be called `a` too; its changes stand under `sa`.
    match elements(diff).next() {
        Some(first) if first.ok()?.name == b"a" => array(diff, values, levels),
        _ => document(diff, values, levels),
    }
}

fn document<'a>(diff: &'a RawDocument, values: &mut Vec<Value<'a>>, levels: usize) -> Option<Level<'a>> {
    let mut level = Level::new(Form::Document);
    for section in elements(diff) {
        let section = section.ok()?;
        match section.name {
            b"d" => {
                for field in elements(section.document()?) {
                    level.places.push((field.ok()?.name, Place::Removed));
                }
            }
            b"u" => {
                for field in elements(section.document()?) {
                    let field = field.ok()?;
                    level.places.push((field.name, Place::Set(add(values, &field))));
                }
            }
            b"i" => {
                for field in elements(section.document()?) {
                    let field = field.ok()?;
                    level.moved_to_end.push((field.name, add(values, &field)));
                }
            }
            [b's', name @ ..] => {
                level.places.push((name, Place::Within(self::level(section.document()?, values, levels)?)))
            }
            _ => return None,
        }
    }
    Some(level)
}

fn array<'a>(diff: &'a RawDocument, values: &mut Vec<Value<'a>>, levels: usize) -> Option<Level<'a>> {
    let (mut new_length, mut places) = (None, Vec::new());
    for part in elements(diff).skip(1) {
        let part = part.ok()?;
        match part.name {
            b"l" => new_length = Some(u32::try_from(part.integer()?).ok()?),
            [b'u', place @ ..] => places.push((place, Place::Set(add(values, &part)))),
            [b's', place @ ..] => places.push((place, Place::Within(level(part.document()?, values, levels)?))),
            _ => return None,
        }
    }
    let fits = |(name, _): &(&[u8], Place<'_>)| {
        index(name).is_some_and(|index| new_length.is_none_or(|length| index < length))
    };
    places.iter().all(fits).then(|| Level { form: Form::Array { new_length }, places, moved_to_end: Vec::new() })
}

fn add<'a>(values: &mut Vec<Value<'a>>, element: &Element<'a>) -> usize {
    values.push(Value { kind: element.kind, bytes: element.value });
    values.len() - 1
}
