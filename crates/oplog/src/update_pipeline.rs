//! The delta of an update entry as an aggregation pipeline that any server of 4.2 or later runs as an update, for servers
//! without a `$_internalApplyOplogUpdate` that is safe; and as plain operators, for all.
//!
//! The pipeline leaves what the server's own application of the entry would leave, on whatever state of the document it meets:
//! a path that leads nowhere is passed over, arrays are padded with null, new fields come behind the others in the order of
//! the entry. Values and names go in as literals; names are compared byte by byte, whatever the collation of the collection.
//!
//! Where a pipeline can't be exact it says so. A level to be changed that holds two fields of one name (a pipeline would leave
//! one of them) makes the update fail with ConversionFailure, which nothing else in a pipeline can raise (shown by 4.2.6, 4.4.2,
//! 5.0.4 and 6.0.5). So does a document that would hold a zero timestamp: a server before 6.0.17 keeps it, and its secondaries put
//! the present time in its place (seen on 4.2.6, 4.4.2, 5.0.4 and 6.0.5). A delta that has no pipeline at all (its form is not
//! known, or it reaches too deep) translates to nothing. Both leave the document as it is: it has to be read anew.

mod change;
mod diff;
mod expression;
mod modifiers;
mod paths;

use bson::{RawArrayBuf, RawDocument, RawDocumentBuf};

use crate::element::{elements, find};
use change::Delta;

/// The server's limit on nested BSON is 180 levels, and one level of a document takes some 16 of them in an expression.
const DEEPEST: usize = 8;
/// No server stores a deeper document; a damaged delta must not take the stack.
const DEEPEST_READ: usize = 200;
/// An expression beyond this costs more than reading the document; without the values, which take as long as they are.
const LONGEST_BYTES: usize = 1 << 20;

/// The operators `$set` and `$unset` that do what `delta`, the `o` of an update entry, does; nothing if they don't. Exact on
/// every server, whatever state of the document they meet: an entry of `$v: 2` sets what stands, or what a later entry
/// removes; one of `$v: 1` adds fields in the order of their names, as these do.
pub fn update_modifiers(delta: &RawDocument) -> Option<RawDocumentBuf> {
    let parsed = parse(delta)?;
    let is_in_order = || parsed.root.sets_in_order_of_names() && !parsed.root.has_numbers_out_of_order();
    if is_old(delta) && !is_in_order() {
        return None;
    }
    modifiers::modifiers(&parsed)
}

/// The stages that do what `delta`, the `o` of an update entry, does; nothing if no pipeline does.
pub fn update_pipeline(delta: &RawDocument) -> Option<RawArrayBuf> {
    let delta = parse(delta)?;
    (delta.root.depth() <= DEEPEST).then(|| expression::replace_stage(&delta, LONGEST_BYTES)).flatten()
}

/// Whether the delta is a difference, as servers write it from 5.0 on. Later servers do something else by one that is not:
/// they add new fields with names that are numbers in the order of the numbers, 4.2 and 4.4 in that of the digits ("10", "9"; 4.4.2
/// against 5.0.4), which the entry has, as has its pipeline; of two fields of one name their secondaries change both; and servers of
/// 7.0 and 8.0 refuse it (4772600, by their source).
pub fn is_difference(delta: &RawDocument) -> bool {
    !is_old(delta)
}

fn is_old(delta: &RawDocument) -> bool {
    find(delta, "$v").ok().flatten().and_then(|version| version.integer()) == Some(1)
}

fn parse(delta: &RawDocument) -> Option<Delta<'_>> {
    let version = find(delta, "$v").ok()??.integer()?;
    match version {
        1 => paths::parse(delta),
        2 => {
            let mut found = None;
            for element in elements(delta) {
                let element = element.ok()?;
                match element.name {
                    b"$v" => {}
                    b"diff" => found = Some(element.document()?),
                    _ => return None,
                }
            }
            diff::parse(found?)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use bson::rawdoc;

    use super::{is_difference, update_modifiers, update_pipeline};

    #[test]
    fn whole_fields_of_the_document_take_operators() {
        let expected = rawdoc! { "$set": { "a": 1 }, "$unset": { "gone": true } };
        let old = rawdoc! { "$v": 1, "$set": { "a": 1 }, "$unset": { "gone": true } };
        assert_eq!(update_modifiers(&old), Some(expected.clone()));
        let new = rawdoc! { "$v": 2, "diff": { "d": { "gone": false }, "u": { "a": 1 } } };
        assert_eq!(update_modifiers(&new), Some(expected));
        let changed = rawdoc! { "$v": 2, "diff": { "u": { "b": 1, "a": 2 } } };
        assert_eq!(update_modifiers(&changed), Some(rawdoc! { "$set": { "b": 1, "a": 2 } }));
        let removed = rawdoc! { "$v": 2, "diff": { "d": { "gone": false } } };
        assert_eq!(update_modifiers(&removed), Some(rawdoc! { "$unset": { "gone": true } }));
    }

    #[test]
    fn what_operators_would_do_otherwise_takes_none() {
        for delta in [
            rawdoc! { "$v": 2, "diff": {} },
            rawdoc! { "$v": 2, "diff": { "i": { "new": 1 } } },
            rawdoc! { "$v": 2, "diff": { "u": { "a": 1 }, "i": { "new": 1 } } },
            rawdoc! { "$v": 2, "diff": { "u": { "a.b": 1 } } },
            rawdoc! { "$v": 2, "diff": { "u": { "$a": 1 } } },
            rawdoc! { "$v": 2, "diff": { "u": { "": 1 } } },
            rawdoc! { "$v": 2, "diff": { "sa": { "u": { "b": 1 } } } },
            rawdoc! { "$v": 1, "$set": { "a.b": 1 } },
            rawdoc! { "$v": 1, "$set": { "b": 1, "a": 1 } },
            rawdoc! { "$v": 1, "$set": { "10": 1, "9": 1 } },
            rawdoc! { "$v": 1 },
        ] {
            assert_eq!(update_modifiers(&delta), None, "{delta:?}");
        }
    }

    #[test]
    fn names_that_look_like_paths_take_a_pipeline() {
        let dotted = rawdoc! { "$v": 2, "diff": { "d": { "gone": false }, "u": { "a.b": 1 } } };
        let stages = update_pipeline(&dotted).expect("has a pipeline");
        assert!(stages.get_document(0).expect("has a stage").get_document("$replaceWith").is_ok());
    }

    #[test]
    fn what_is_not_known_has_no_pipeline() {
        for delta in [
            rawdoc! { "$v": 3, "diff": {} },
            rawdoc! { "$v": 2 },
            rawdoc! { "$v": 2, "diff": { "u": { "a": 1 } }, "more": 1 },
            rawdoc! { "$v": 2, "diff": { "sdata": { "b": { "o": 1 } } } },
            rawdoc! { "$v": 2, "diff": { "z": { "a": 1 } } },
            rawdoc! { "$v": 2, "diff": { "sa": { "a": true, "ux": 1 } } },
            rawdoc! { "$v": 2, "diff": { "sa": { "a": true, "l": 1, "u4": 1 } } },
            rawdoc! { "$v": 2, "diff": { "a": true, "u0": 1 } },
            rawdoc! { "$v": 1, "$set": { "a.b": 1, "a": 1 } },
            rawdoc! { "$v": 1, "$inc": { "a": 1 } },
            rawdoc! { "$v": 1, "$set": { "a.b.c.d.e.f.g.h.i": 1 } },
        ] {
            assert_eq!(update_pipeline(&delta), None, "{delta:?}");
        }
    }

    #[test]
    fn operators_are_no_difference() {
        assert!(is_difference(&rawdoc! { "$v": 2, "diff": { "i": { "10": 1, "9": 1 } } }));
        for operators in [
            rawdoc! { "$v": 1, "$set": { "a.b": 1 } },
            rawdoc! { "$v": 1, "$set": { "10": 1, "9": 1 } },
            rawdoc! { "$v": 1, "$set": { "a.10": 1, "a.5x": 1, "a.9": 1 } },
        ] {
            assert!(!is_difference(&operators), "{operators:?}");
        }
    }
}
