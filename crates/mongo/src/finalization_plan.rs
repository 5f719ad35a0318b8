//! What turns the destination's indexes of one collection into the source's, order included. Pure; computed from two
//! listings, so it needs no memory of what was held back and can be computed again after any interruption.
//!
//! A new index stands behind all others. So those stay that are, in this order, the first of the source's, and the others are
//! built anew.

use bson::{Bson, Document};

use crate::{
    facts::ServerVersion,
    index_forms::{before_cutover, is_id_index, is_same_beside_uniqueness, truth, with_own_collation},
};

/// One command or two. In the order of the variants, across collections: expiry last.
#[derive(Clone, Debug, PartialEq)]
pub enum IndexStep {
    Drop {
        name: String,
    },
    /// In the form it has before the cutover.
    Build {
        spec: Document,
    },
    /// A standing index becomes unique by collMod.
    MakeUnique {
        name: String,
    },
    /// As on the source: what can't become so later, or not beside another that has to be unique first. From 6.0 on without
    /// the expiry.
    BuildWhole {
        spec: Document,
    },
    /// The source's own index is on the way to unique.
    PrepareUnique {
        name: String,
    },
    SetHidden {
        name: String,
        hidden: bool,
    },
    SetExpiry {
        name: String,
        seconds: Bson,
    },
}

impl IndexStep {
    /// Belongs to the very end of the finalization.
    pub fn is_expiry(&self) -> bool {
        matches!(self, Self::SetExpiry { .. })
    }

    /// Can be done before the point of no return: changes can still be applied afterwards.
    pub fn is_preparation(&self) -> bool {
        matches!(self, Self::Drop { .. } | Self::Build { .. })
    }

    /// What can fail by the documents, and no dry run tells: built before the point of no return, without the expiry.
    pub fn built_unique(&self) -> Option<Self> {
        match self {
            Self::BuildWhole { spec } if spec.get("unique").is_some_and(truth) => {
                let mut spec = spec.clone();
                spec.remove("expireAfterSeconds");
                Some(Self::BuildWhole { spec })
            }
            _ => None,
        }
    }

    pub fn name(&self) -> &str {
        match self {
            Self::Drop { name }
            | Self::MakeUnique { name }
            | Self::PrepareUnique { name }
            | Self::SetHidden { name, .. }
            | Self::SetExpiry { name, .. } => name,
            Self::Build { spec } | Self::BuildWhole { spec } => spec.get_str("name").unwrap_or_default(),
        }
    }

    /// As [`with_own_collation`] says of the index that is created.
    pub(crate) fn with_own_collation(self, collection_has_one: bool) -> Self {
        let own = |spec: Document| with_own_collation(&spec, collection_has_one);
        match self {
            Self::Build { spec } => Self::Build { spec: own(spec) },
            Self::BuildWhole { spec } => Self::BuildWhole { spec: own(spec) },
            other => other,
        }
    }

    const fn rank(&self) -> u8 {
        match self {
            Self::Drop { .. } => 0,
            Self::Build { .. } => 1,
            Self::MakeUnique { .. } => 2,
            Self::BuildWhole { .. } => 3,
            Self::PrepareUnique { .. } => 4,
            Self::SetHidden { .. } => 5,
            Self::SetExpiry { .. } => 6,
        }
    }
}

/// Both lists as listIndexes gives them, without `ns`.
pub fn finalization_plan(source: &[Document], destination: &[Document], version: ServerVersion) -> Vec<IndexStep> {
    let wanted: Vec<&Document> = source.iter().filter(|index| !is_id_index(index)).collect();
    let standing: Vec<&Document> = destination.iter().filter(|index| !is_id_index(index)).collect();
    let may_stay = |index: &&&Document| {
        let wanted = find(&wanted, name_of(index));
        wanted.is_some_and(|wanted| conversion(wanted, index, version).is_some())
    };
    let staying: Vec<&Document> = standing.iter().filter(may_stay).copied().collect();
    let is_next =
        |index: &&Document, place: usize| wanted.get(place).is_some_and(|next| name_of(next) == name_of(index));
    let in_place = staying.iter().fold(0, |place, index| place + usize::from(is_next(index, place)));
    let (stay, anew) = wanted.split_at(in_place);

    let gone = standing.iter().filter(|index| find(stay, name_of(index)).is_none());
    let mut steps: Vec<IndexStep> = gone.map(|index| IndexStep::Drop { name: name_of(index).to_owned() }).collect();
    for wanted in stay {
        let standing = find(&staying, name_of(wanted));
        steps.extend(standing.and_then(|standing| conversion(wanted, standing, version)).unwrap_or_default());
    }
    let convertible = convertible(&wanted, in_place, version);
    for (number, index) in anew.iter().enumerate() {
        steps.extend(creation(index, in_place + number < convertible, version));
    }
    steps.sort_by_key(IndexStep::rank);
    steps
}

/// The indexes that do not stand, in the form before the cutover: to be tried before anything else is touched for the sake of
/// the order. Without those that could not stand beside another in that form, and those that no collMod makes unique or lets expire.
pub fn missing_indexes(source: &[Document], destination: &[Document], version: ServerVersion) -> Vec<Document> {
    let is_missing = |index: &&Document| !destination.iter().any(|standing| name_of(standing) == name_of(index));
    let stands_alone = |spec: &Document| {
        let others = source.iter().chain(destination).filter(|other| name_of(other) != name_of(spec));
        !others.into_iter().any(|other| is_same_beside_uniqueness(other, spec))
    };
    let form = |index: &Document| {
        let (spec, held_back) = before_cutover(index.clone());
        (version.is_at_least(6, 0) || held_back.is_empty()).then_some(spec)
    };
    source.iter().filter(is_missing).filter_map(form).filter(stands_alone).collect()
}

fn name_of(index: &Document) -> &str {
    index.get_str("name").unwrap_or_default()
}

fn find<'a>(indexes: &[&'a Document], name: &str) -> Option<&'a Document> {
    indexes.iter().find(|index| name_of(index) == name).copied()
}

/// Up to which of the wanted indexes those from `first` on can be built in the form before the cutover. Two that differ in
/// uniqueness alone can't stand side by side in that form.
fn convertible(wanted: &[&Document], first: usize, version: ServerVersion) -> usize {
    if !version.is_at_least(6, 0) {
        return first;
    }
    let forms: Vec<Document> = wanted.iter().map(|index| before_cutover((*index).clone()).0).collect();
    let collides = |at: &usize| {
        forms.iter().enumerate().any(|(other, form)| other != *at && is_same_beside_uniqueness(form, &forms[*at]))
    };
    (first..wanted.len()).find(collides).unwrap_or(wanted.len())
}

fn creation(index: &Document, convertible: bool, version: ServerVersion) -> Vec<IndexStep> {
    if convertible {
        let (spec, _) = before_cutover(index.clone());
        let rest = conversion(index, &spec, version).unwrap_or_default();
        return std::iter::once(IndexStep::Build { spec }).chain(rest).collect();
    }
    let mut spec = index.clone();
    let later = version.is_at_least(6, 0).then(|| spec.remove("expireAfterSeconds")).flatten();
    let expiry = later.map(|seconds| set_expiry(index, &seconds));
    std::iter::once(IndexStep::BuildWhole { spec }).chain(expiry).collect()
}

fn set_expiry(index: &Document, seconds: &Bson) -> IndexStep {
    IndexStep::SetExpiry { name: name_of(index).to_owned(), seconds: seconds.clone() }
}

/// The fields that a standing index can be given, or relieved of, by collMod.
const CHANGEABLE: [&str; 4] = ["unique", "prepareUnique", "hidden", "expireAfterSeconds"];

/// How the standing index becomes the wanted one; `None` if no command does that.
fn conversion(wanted: &Document, standing: &Document, version: ServerVersion) -> Option<Vec<IndexStep>> {
    if !same_beside_changeable(wanted, standing) {
        return None;
    }
    let flag = |index: &Document, key| index.get(key).is_some_and(truth);
    let name = || name_of(wanted).to_owned();
    let modern = version.is_at_least(6, 0);
    let mut steps = Vec::new();
    match (flag(wanted, "unique"), flag(standing, "unique")) {
        (true, false) if modern => steps.push(IndexStep::MakeUnique { name: name() }),
        (true, false) | (false, true) => return None,
        (true, true) | (false, false) => {}
    }
    match (flag(wanted, "prepareUnique"), flag(standing, "prepareUnique")) {
        (true, false) => steps.push(IndexStep::PrepareUnique { name: name() }),
        // Conversion to unique takes it away.
        (false, true) if !flag(wanted, "unique") => return None,
        _ => {}
    }
    match (wanted.get("expireAfterSeconds"), standing.get("expireAfterSeconds")) {
        (Some(wanted), Some(standing)) if same_number(wanted, standing) => {}
        (Some(seconds), Some(_)) => steps.push(set_expiry(wanted, seconds)),
        (Some(seconds), None) if modern => steps.push(set_expiry(wanted, seconds)),
        (Some(_), None) | (None, Some(_)) => return None,
        (None, None) => {}
    }
    let hidden = flag(wanted, "hidden");
    if hidden != flag(standing, "hidden") {
        steps.push(IndexStep::SetHidden { name: name(), hidden });
    }
    Some(steps)
}

fn same_beside_changeable(wanted: &Document, standing: &Document) -> bool {
    let fixed = |index: &Document| {
        let mut index = index.clone();
        for field in CHANGEABLE {
            index.remove(field);
        }
        index
    };
    let (wanted, standing) = (fixed(wanted), fixed(standing));
    wanted.len() == standing.len() && wanted.iter().all(|(key, value)| standing.get(key) == Some(value))
}

/// 5.0 turns an expiry that was stored as a double into an integer.
fn same_number(one: &Bson, other: &Bson) -> bool {
    let number = |value: &Bson| match value {
        Bson::Int32(number) => Some(f64::from(*number)),
        Bson::Int64(number) => Some(*number as f64),
        Bson::Double(number) => Some(*number),
        _ => None,
    };
    one == other || (number(one).is_some() && number(one) == number(other))
}

#[cfg(test)]
mod tests {
    use bson::{Bson, Document, doc};

    use super::{IndexStep, finalization_plan, missing_indexes};
    use crate::ServerVersion;

    const SIX: ServerVersion = ServerVersion::new(6, 0, 5);
    const FIVE: ServerVersion = ServerVersion::new(5, 0, 4);

    fn index(extra: Document) -> Document {
        let mut index = doc! {"v": 2, "key": {"a": 1}, "name": "a_1"};
        index.extend(extra);
        index
    }

    fn name() -> String {
        "a_1".into()
    }

    fn dropped(name: &str) -> IndexStep {
        IndexStep::Drop { name: name.into() }
    }

    #[test]
    fn one_index_by_table() {
        let anew = |spec| vec![dropped("a_1"), IndexStep::Build { spec: index(spec) }];
        let anew_whole = |spec| vec![dropped("a_1"), IndexStep::BuildWhole { spec: index(spec) }];
        let unique = || IndexStep::MakeUnique { name: name() };
        let expiry = |seconds: i32| IndexStep::SetExpiry { name: name(), seconds: Bson::Int32(seconds) };
        let hidden = |hidden| IndexStep::SetHidden { name: name(), hidden };
        let cases = [
            (SIX, doc! {}, doc! {}, vec![]),
            (SIX, doc! {"unique": true}, doc! {}, vec![unique()]),
            (FIVE, doc! {"unique": true}, doc! {}, anew_whole(doc! {"unique": true})),
            (SIX, doc! {"unique": true}, doc! {"prepareUnique": true}, vec![unique()]),
            (SIX, doc! {}, doc! {"unique": true}, anew(doc! {})),
            (SIX, doc! {"prepareUnique": true}, doc! {}, vec![IndexStep::PrepareUnique { name: name() }]),
            (SIX, doc! {"expireAfterSeconds": 60}, doc! {}, vec![expiry(60)]),
            (FIVE, doc! {"expireAfterSeconds": 60}, doc! {"expireAfterSeconds": 90}, vec![expiry(60)]),
            (FIVE, doc! {"expireAfterSeconds": 60}, doc! {}, anew_whole(doc! {"expireAfterSeconds": 60})),
            (SIX, doc! {"expireAfterSeconds": 60.0}, doc! {"expireAfterSeconds": 60}, vec![]),
            (SIX, doc! {}, doc! {"expireAfterSeconds": 60}, anew(doc! {})),
            (SIX, doc! {"hidden": true}, doc! {}, vec![hidden(true)]),
            (SIX, doc! {}, doc! {"hidden": true}, vec![hidden(false)]),
            (SIX, doc! {"sparse": true}, doc! {}, anew(doc! {"sparse": true})),
            (
                SIX,
                doc! {"unique": true, "hidden": true, "expireAfterSeconds": 9},
                doc! {},
                vec![unique(), hidden(true), expiry(9)],
            ),
        ];
        for (version, source, destination, expected) in cases {
            let plan = finalization_plan(&[index(source.clone())], &[index(destination.clone())], version);
            assert_eq!(plan, expected, "{source} from {destination} on {version}");
        }
    }

    #[test]
    fn missing_and_extra_ones() {
        let id = doc! {"v": 2, "key": {"_id": 1}, "name": "_id_"};
        let text = doc! {"v": 2, "key": {"_fts": "text"}, "name": "t"};
        let expiring = doc! {"v": 2, "key": {"x": 1}, "name": "x_1", "expireAfterSeconds": 5, "unique": true};
        let source = [id.clone(), expiring.clone(), text.clone()];
        let plan = finalization_plan(&source, &[id.clone(), index(doc! {})], SIX);
        let expected = [
            dropped("a_1"),
            IndexStep::Build { spec: doc! {"v": 2, "key": {"x": 1}, "name": "x_1"} },
            IndexStep::Build { spec: text.clone() },
            IndexStep::MakeUnique { name: "x_1".into() },
            IndexStep::SetExpiry { name: "x_1".into(), seconds: Bson::Int32(5) },
        ];
        assert_eq!(plan, expected);
        let expected = [dropped("a_1"), IndexStep::BuildWhole { spec: expiring }, IndexStep::BuildWhole { spec: text }];
        assert_eq!(finalization_plan(&source, &[id.clone(), index(doc! {})], FIVE), expected);
        assert!(finalization_plan(std::slice::from_ref(&id), std::slice::from_ref(&id), SIX).is_empty());
    }

    fn named(name: &str) -> Document {
        doc! {"v": 2, "key": {name: 1}, "name": name}
    }

    #[test]
    fn the_order_is_the_sources() {
        let (a, b, c) = (named("a"), named("b"), named("c"));
        let source = [a.clone(), b.clone(), c.clone()];
        let build = |spec: &Document| IndexStep::Build { spec: spec.clone() };
        let plan = |standing: &[Document]| finalization_plan(&source, standing, SIX);
        assert_eq!(plan(&[a.clone(), b.clone()]), [build(&c)]);
        assert_eq!(plan(&[a.clone(), c.clone()]), [dropped("c"), build(&b), build(&c)]);
        assert_eq!(plan(&[named("x"), a.clone(), b.clone(), c.clone()]), [dropped("x")]);
        assert_eq!(plan(&[b.clone(), a.clone(), c.clone()]), [dropped("b"), dropped("c"), build(&b), build(&c)]);
    }

    #[test]
    fn of_two_that_differ_in_uniqueness_the_second_waits_for_the_first() {
        let plain = doc! {"v": 2, "key": {"k": 1}, "name": "plain"};
        let unique = doc! {"v": 2, "key": {"k": 1}, "name": "unique", "unique": true};
        let form = doc! {"v": 2, "key": {"k": 1}, "name": "unique"};
        let whole = |spec: &Document| IndexStep::BuildWhole { spec: spec.clone() };
        let plan = finalization_plan(&[unique.clone(), plain.clone()], std::slice::from_ref(&form), SIX);
        assert_eq!(plan, [IndexStep::MakeUnique { name: "unique".into() }, whole(&plain)]);
        let plan = finalization_plan(&[plain.clone(), unique.clone(), named("c")], &[plain, named("c")], SIX);
        assert_eq!(plan, [dropped("c"), whole(&unique), whole(&named("c"))]);
    }

    #[test]
    fn what_is_missing_is_tried_where_it_can_stand() {
        let unique = doc! {"v": 2, "key": {"k": 1}, "name": "unique", "unique": true};
        let plain = doc! {"v": 2, "key": {"k": 1}, "name": "plain"};
        let form = doc! {"v": 2, "key": {"k": 1}, "name": "unique"};
        assert_eq!(missing_indexes(&[unique.clone(), named("a")], &[named("a")], SIX), [form]);
        assert!(missing_indexes(std::slice::from_ref(&unique), &[], FIVE).is_empty());
        assert!(missing_indexes(&[unique, plain], &[], SIX).is_empty());
        assert_eq!(missing_indexes(&[named("a")], &[], FIVE), [named("a")]);
        let expiring = doc! {"v": 2, "key": {"x": 1}, "name": "x", "expireAfterSeconds": 5};
        assert!(missing_indexes(std::slice::from_ref(&expiring), &[], FIVE).is_empty());
        assert_eq!(missing_indexes(&[expiring], &[], SIX), [doc! {"v": 2, "key": {"x": 1}, "name": "x"}]);
    }
}
