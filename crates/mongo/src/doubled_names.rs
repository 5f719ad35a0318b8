//! Documents with two fields of one name at the top, which drivers don't make but servers store.
//!
//! An update by `$set` or `$unset` changes the first of them. Servers from 5.0 on replicate it as a difference by names, and
//! their secondaries change both: after a failover the document is another one (6.0.5 with two members; 4.4.2 replicates the
//! operators, and its members stay alike). So a source whose feature compatibility version is before 5.0 holds what no update by
//! operators keeps on such a destination; a later source has itself done to its secondaries what its changes do to the
//! destination's. Pure.

use std::collections::BTreeSet;

use bson::RawDocument;

use crate::facts::ServerVersion;

/// Whether the source's members keep such documents alike. One that does not tell its feature compatibility version may.
pub fn keeps_doubled_names(source: ServerVersion, fcv: Option<&str>) -> bool {
    let major = |fcv: &str| fcv.split('.').next()?.parse::<u32>().ok();
    !source.is_at_least(5, 0) || fcv.and_then(major).is_none_or(|major| major < 5)
}

/// Whether two fields at the top have one name, byte by byte. Names may be any bytes.
pub fn holds_doubled_name(document: &RawDocument) -> bool {
    let names = || document.iter_elements().flatten().map(|element| element.key().as_str().as_bytes());
    may_repeat(names()) && {
        let mut seen = BTreeSet::new();
        names().any(|name| !seen.insert(name))
    }
}

/// False only if all are different: most documents need no more than a look at each name.
fn may_repeat<'a>(names: impl Iterator<Item = &'a [u8]>) -> bool {
    const WORDS: usize = 32;
    let mut seen = [0_u64; WORDS];
    let mut repeats = false;
    for name in names {
        let hash = name
            .iter()
            .fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
        let (word, bit) = ((hash >> 32) as usize % WORDS, 1 << (hash % 64));
        repeats |= seen[word] & bit != 0;
        seen[word] |= bit;
    }
    repeats
}

#[cfg(test)]
mod tests {
    use bson::{RawDocumentBuf, raw::CString, rawdoc};

    use super::{holds_doubled_name, keeps_doubled_names};
    use crate::facts::ServerVersion;

    fn with_names(names: &[&str]) -> RawDocumentBuf {
        let mut document = RawDocumentBuf::new();
        for name in names {
            document.append(CString::try_from(*name).expect("no zero"), 1);
        }
        document
    }

    #[test]
    fn only_two_of_one_name_at_the_top_count() {
        assert!(holds_doubled_name(&with_names(&["_id", "a", "b", "a"])));
        assert!(holds_doubled_name(&with_names(&["", "a", ""])));
        assert!(!holds_doubled_name(&with_names(&["_id", "a", "A", "ab", ""])));
        assert!(!holds_doubled_name(&rawdoc! { "_id": 1, "a": with_names(&["b", "b"]), "b": 1 }));
        assert!(!holds_doubled_name(&with_names(&[])));
    }

    #[test]
    fn many_different_names_are_not_taken_for_doubled() {
        let names: Vec<String> = (0..3_000).map(|number| format!("field {number}")).collect();
        let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert!(!holds_doubled_name(&with_names(&names)));
        names.push("field 1500");
        assert!(holds_doubled_name(&with_names(&names)));
    }

    #[test]
    fn servers_that_replicate_operators_keep_them() {
        let keeps = |major, fcv| keeps_doubled_names(ServerVersion::new(major, 4, 0), fcv);
        assert_eq!([keeps(4, Some("4.2")), keeps(4, None), keeps(5, Some("4.4")), keeps(6, None)], [true; 4]);
        assert_eq!([keeps(5, Some("5.0")), keeps(8, Some("7.0")), keeps(10, Some("10.0"))], [false; 3]);
    }
}
