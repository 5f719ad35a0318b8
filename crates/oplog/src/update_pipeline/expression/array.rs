//! Changes of the elements of an array.

use bson::rawdoc;

use super::{Expression, cond, document::new_value, level, list, value};
use crate::update_pipeline::change::{Form, Level, Place, index};

/// Longer than any array.
const ALL: i32 = i32::MAX;

/// Some place has an index.
pub(super) fn has_effect(changes: &Level<'_>) -> bool {
    changes.places.iter().any(|(name, _)| index(name).is_some())
}

/// The array at `at`, which is one, changed. Names that are no indexes lead nowhere. Put together from slices of the old one,
/// padding, and changed elements, as most changes concern few elements.
pub(super) fn array(changes: &Level<'_>, at: &str) -> Expression {
    let mut places: Vec<(u32, &Place<'_>)> =
        changes.places.iter().filter_map(|(name, place)| Some((index(name)?, place))).collect();
    places.sort_by_key(|(index, _)| *index);
    let (mut parts, mut next, mut filled) = (Vec::new(), 0, 0);
    for (index, place) in places {
        parts.extend(slice(at, next, index));
        match element(at, index, place) {
            Element::Always(element) => {
                parts.extend(padding(filled, index));
                parts.push(list([element]).into());
                filled = index + 1;
            }
            Element::IfStanding(element) => parts.push(cond(stands(index), list([element]).into(), list([]).into())),
        }
        next = index + 1;
    }
    match changes.form {
        Form::Array { new_length: Some(length) } => {
            parts.extend(slice(at, next, length));
            parts.extend(padding(filled, length));
        }
        Form::Array { new_length: None } | Form::Either | Form::Document => {
            parts.push(rawdoc! { "$slice": [at, i64::from(next), ALL] }.into());
        }
    }
    let whole = rawdoc! { "$concatArrays": list(parts) };
    rawdoc! { "$let": { "vars": { "n": { "$size": at } }, "in": whole } }.into()
}

enum Element {
    /// The array is made long enough for it.
    Always(Expression),
    IfStanding(Expression),
}

fn element(at: &str, index: u32, place: &Place<'_>) -> Element {
    let inner = |inner: &Level<'_>| -> Expression {
        let element = rawdoc! { "$arrayElemAt": [at, i64::from(index)] };
        rawdoc! { "$let": { "vars": { "x": element }, "in": level(inner, "$$x") } }.into()
    };
    match place {
        Place::Set(number) => Element::Always(value(*number)),
        Place::Removed => Element::IfStanding(a_null()),
        Place::Within(changes) if changes.form == Form::Either => match new_value(place) {
            Some(new) => Element::Always(cond(stands(index), inner(changes), new)),
            None => Element::IfStanding(inner(changes)),
        },
        // As the server does it: the document is ahead of the entry, and a later one will set the element.
        Place::Within(changes) => Element::Always(cond(stands(index), inner(changes), a_null())),
    }
}

fn stands(index: u32) -> Expression {
    rawdoc! { "$lt": [i64::from(index), "$$n"] }.into()
}

fn a_null() -> Expression {
    rawdoc! { "$literal": bson::RawBson::Null }.into()
}

/// Elements of the old array from `from` up to `to`, as far as there are.
fn slice(at: &str, from: u32, to: u32) -> Option<Expression> {
    let count = to.checked_sub(from).filter(|count| *count > 0)?;
    Some(rawdoc! { "$slice": [at, i64::from(from), i64::from(count)] }.into())
}

/// Nulls for what is missing up to `to`; up to `filled` nothing is.
fn padding(filled: u32, to: u32) -> Option<Expression> {
    let from = rawdoc! { "$max": ["$$n", i64::from(filled)] };
    let missing = rawdoc! { "$range": [from, i64::from(to)] };
    (to > filled).then(|| rawdoc! { "$map": { "input": missing, "as": "p", "in": a_null() } }.into())
}
