//! Changes of the fields of a document.

use bson::{RawBson, rawdoc};

use super::{Expression, cond, level, list, name_literal, value};
use crate::update_pipeline::change::{Form, Level, Place};

/// The document at `at`, which is one, changed. Fails where two of its fields have one name.
pub(super) fn document(changes: &Level<'_>, at: &str) -> Expression {
    let additions = changes.places.iter().filter_map(|(name, place)| addition(name, place));
    let moved = changes.moved_to_end.iter().map(|(name, number)| field(name, value(*number)));
    let mut parts = vec![standing(changes)];
    parts.extend(additions);
    parts.push(list(moved).into());
    let changed = rawdoc! { "$arrayToObject": { "$concatArrays": list(parts) } };
    let once_each = rawdoc! { "$size": { "$objectToArray": { "$arrayToObject": "$$f" } } };
    let unambiguous = rawdoc! { "$eq": [{ "$size": "$$f" }, once_each] };
    // No document converts to a number.
    let checked = cond(unambiguous, changed.into(), rawdoc! { "$toInt": at }.into());
    rawdoc! { "$let": { "vars": { "f": { "$objectToArray": at } }, "in": checked } }.into()
}

/// A document made of what is set on a level that is missing.
pub(super) fn created(changes: &Level<'_>) -> Expression {
    let fields = changes.places.iter().filter_map(|(name, place)| Some(field(name, new_value(place)?)));
    rawdoc! { "$arrayToObject": list([list(fields).into()]) }.into()
}

/// What a place is given that is missing.
pub(super) fn new_value(place: &Place<'_>) -> Option<Expression> {
    match place {
        Place::Set(number) => Some(value(*number)),
        Place::Within(level) if level.form == Form::Either && level.sets_something() => Some(created(level)),
        Place::Within(_) | Place::Removed => None,
    }
}

/// The fields that are there, in their order: those that stay, changed or not.
fn standing(changes: &Level<'_>) -> Expression {
    let removed = changes.places.iter().filter(|(_, place)| matches!(place, Place::Removed)).map(|(name, _)| *name);
    let gone: Vec<&[u8]> = removed.chain(changes.moved_to_end.iter().map(|(name, _)| *name)).collect();
    let kept: Expression = if gone.is_empty() {
        "$$f".into()
    } else {
        let is_gone = rawdoc! { "$or": list(gone.into_iter().map(is_named)) };
        rawdoc! { "$filter": { "input": "$$f", "as": "e", "cond": { "$not": [is_gone] } } }.into()
    };
    let branches: Vec<Expression> = changes.places.iter().filter_map(|(name, place)| branch(name, place)).collect();
    if branches.is_empty() {
        return kept;
    }
    let chosen = rawdoc! { "$switch": { "branches": list(branches), "default": "$$e" } };
    rawdoc! { "$map": { "input": kept, "as": "e", "in": chosen } }.into()
}

fn branch(name: &[u8], place: &Place<'_>) -> Option<Expression> {
    let changed = match place {
        Place::Set(number) => value(*number),
        Place::Within(inner) => level(inner, "$$e.v"),
        Place::Removed => return None,
    };
    Some(rawdoc! { "case": is_named(name), "then": { "k": "$$e.k", "v": changed } }.into())
}

/// The field in a list if it is missing and to be added, an empty list otherwise.
fn addition(name: &[u8], place: &Place<'_>) -> Option<Expression> {
    let new = new_value(place)?;
    let matches = rawdoc! { "$map": { "input": "$$f", "as": "e", "in": is_named(name) } };
    let stands = rawdoc! { "$anyElementTrue": [matches] };
    Some(cond(stands, list([]).into(), list([field(name, new)]).into()))
}

fn field(name: &[u8], value: Expression) -> Expression {
    rawdoc! { "k": name_literal(name), "v": value }.into()
}

/// Whether `e` has this name. Strings would be compared by the collation of the collection, numbers are not.
fn is_named(name: &[u8]) -> Expression {
    let length = i64::try_from(name.len()).unwrap_or(i64::MAX);
    let first = rawdoc! { "$indexOfBytes": list([RawBson::from("$$e.k"), name_literal(name)]) };
    rawdoc! { "$and": [{ "$eq": [{ "$strLenBytes": "$$e.k" }, length] }, { "$eq": [first, 0_i64] }] }.into()
}
