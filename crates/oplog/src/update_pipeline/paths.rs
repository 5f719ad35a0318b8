//! A delta with `$v: 1`, as 4.2 and 4.4 write it: dotted paths, set or unset, in the order in which the server that wrote them
//! applied them.

use bson::RawDocument;

use super::{
    DEEPEST_READ,
    change::{Delta, Form, Level, Place, Value},
};
use crate::element::elements;

/// Nothing if some part of it is not known.
pub(super) fn parse(delta: &RawDocument) -> Option<Delta<'_>> {
    let mut values = Vec::new();
    let mut root = Level::new(Form::Either);
    for section in elements(delta) {
        let section = section.ok()?;
        let is_set = match section.name {
            b"$v" => continue,
            b"$set" => true,
            b"$unset" => false,
            _ => return None,
        };
        for field in elements(section.document()?) {
            let field = field.ok()?;
            let place = if is_set {
                values.push(Value { kind: field.kind, bytes: field.value });
                Place::Set(values.len() - 1)
            } else {
                Place::Removed
            };
            insert(&mut root, field.name, place, DEEPEST_READ)?;
        }
    }
    root.form = Form::Document;
    Some(Delta { root, values })
}

/// Nothing if the path is there already, leads through a place that is set, or is longer than `levels`.
fn insert<'a>(level: &mut Level<'a>, path: &'a [u8], place: Place<'a>, levels: usize) -> Option<()> {
    let levels = levels.checked_sub(1)?;
    let dot = path.iter().position(|byte| *byte == b'.');
    let (name, rest) = dot.map_or((path, None), |dot| (&path[..dot], Some(&path[dot + 1..])));
    // The paths are sorted, so that those below one place are neighbours.
    let standing = level.places.iter().rposition(|(other, _)| *other == name);
    match (rest, standing) {
        (None, None) => level.places.push((name, place)),
        (Some(rest), None) => {
            let mut inner = Level::new(Form::Either);
            insert(&mut inner, rest, place, levels)?;
            level.places.push((name, Place::Within(inner)));
        }
        (Some(rest), Some(standing)) => match &mut level.places[standing].1 {
            Place::Within(inner) => insert(inner, rest, place, levels)?,
            Place::Set(_) | Place::Removed => return None,
        },
        (None, Some(_)) => return None,
    }
    Some(())
}
