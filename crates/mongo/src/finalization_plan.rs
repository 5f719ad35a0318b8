//! What turns the destination's indexes of one collection into the source's. Pure; computed from two listings, so it
//! needs no memory of what was held back and can be computed again after any interruption.

use bson::{Bson, Document};

use crate::{
    facts::ServerVersion,
    index_forms::{is_id_index, truth, with_own_collation},
};

/// One command or two. In the order of the variants, across collections: expiry last.
#[derive(Clone, Debug, PartialEq)]
pub enum IndexStep {
    Drop {
        name: String,
    },
    /// A standing index becomes unique by collMod.
    MakeUnique {
        name: String,
    },
    /// No command turns the one into the other: dropped and created anew.
    Rebuild {
        spec: Document,
    },
    Create {
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
    /// With an expiry, so that nothing expires before all else stands.
    CreateExpiring {
        spec: Document,
    },
}

impl IndexStep {
    /// Belongs to the very end of the finalization.
    pub fn is_expiry(&self) -> bool {
        matches!(self, Self::SetExpiry { .. } | Self::CreateExpiring { .. })
    }

    pub fn name(&self) -> &str {
        match self {
            Self::Drop { name }
            | Self::MakeUnique { name }
            | Self::PrepareUnique { name }
            | Self::SetHidden { name, .. }
            | Self::SetExpiry { name, .. } => name,
            Self::Rebuild { spec } | Self::Create { spec } | Self::CreateExpiring { spec } => {
                spec.get_str("name").unwrap_or_default()
            }
        }
    }

    /// As [`with_own_collation`] says of the index that is created.
    pub(crate) fn with_own_collation(self, collection_has_one: bool) -> Self {
        let own = |spec: Document| with_own_collation(&spec, collection_has_one);
        match self {
            Self::Rebuild { spec } => Self::Rebuild { spec: own(spec) },
            Self::Create { spec } => Self::Create { spec: own(spec) },
            Self::CreateExpiring { spec } => Self::CreateExpiring { spec: own(spec) },
            other => other,
        }
    }

    const fn rank(&self) -> u8 {
        match self {
            Self::Drop { .. } => 0,
            Self::MakeUnique { .. } => 1,
            Self::Rebuild { .. } => 2,
            Self::Create { .. } => 3,
            Self::PrepareUnique { .. } => 4,
            Self::SetHidden { .. } => 5,
            Self::SetExpiry { .. } => 6,
            Self::CreateExpiring { .. } => 7,
        }
    }
}

/// Both lists as listIndexes gives them, without `ns`.
pub fn finalization_plan(source: &[Document], destination: &[Document], version: ServerVersion) -> Vec<IndexStep> {
    let wanted: Vec<&Document> = source.iter().filter(|index| !is_id_index(index)).collect();
    let extra = destination.iter().filter(|index| !is_id_index(index)).filter_map(|standing| {
        let name = standing.get_str("name").ok()?;
        find(&wanted, name).is_none().then(|| IndexStep::Drop { name: name.to_owned() })
    });
    let mut steps: Vec<IndexStep> = extra.collect();
    let standing: Vec<&Document> = destination.iter().collect();
    for index in wanted {
        match index.get_str("name").ok().and_then(|name| find(&standing, name)) {
            None => steps.push(creation(index)),
            Some(standing) => steps.extend(conversion(index, standing, version)),
        }
    }
    steps.sort_by_key(IndexStep::rank);
    steps
}

fn find<'a>(indexes: &[&'a Document], name: &str) -> Option<&'a Document> {
    indexes.iter().find(|index| index.get_str("name").is_ok_and(|other| other == name)).copied()
}

fn creation(index: &Document) -> IndexStep {
    let spec = index.clone();
    if spec.contains_key("expireAfterSeconds") {
        IndexStep::CreateExpiring { spec }
    } else {
        IndexStep::Create { spec }
    }
}

/// The fields that a standing index can be given, or relieved of, by collMod.
const CHANGEABLE: [&str; 4] = ["unique", "prepareUnique", "hidden", "expireAfterSeconds"];

fn conversion(wanted: &Document, standing: &Document, version: ServerVersion) -> Vec<IndexStep> {
    let rebuild = || vec![IndexStep::Rebuild { spec: wanted.clone() }];
    if !same_beside_changeable(wanted, standing) {
        return rebuild();
    }
    let flag = |index: &Document, key| index.get(key).is_some_and(truth);
    let name = || wanted.get_str("name").unwrap_or_default().to_owned();
    let modern = version.is_at_least(6, 0);
    let mut steps = Vec::new();
    match (flag(wanted, "unique"), flag(standing, "unique")) {
        (true, false) if modern => steps.push(IndexStep::MakeUnique { name: name() }),
        (true, false) | (false, true) => return rebuild(),
        (true, true) | (false, false) => {}
    }
    match (flag(wanted, "prepareUnique"), flag(standing, "prepareUnique")) {
        (true, false) => steps.push(IndexStep::PrepareUnique { name: name() }),
        // Conversion to unique takes it away.
        (false, true) if !flag(wanted, "unique") => return rebuild(),
        _ => {}
    }
    match (wanted.get("expireAfterSeconds"), standing.get("expireAfterSeconds")) {
        (Some(wanted), Some(standing)) if same_number(wanted, standing) => {}
        (Some(seconds), Some(_)) => steps.push(IndexStep::SetExpiry { name: name(), seconds: seconds.clone() }),
        (Some(seconds), None) if modern => {
            steps.push(IndexStep::SetExpiry { name: name(), seconds: seconds.clone() });
        }
        (Some(_), None) | (None, Some(_)) => return rebuild(),
        (None, None) => {}
    }
    let hidden = flag(wanted, "hidden");
    if hidden != flag(standing, "hidden") {
        steps.push(IndexStep::SetHidden { name: name(), hidden });
    }
    steps
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

    use super::{IndexStep, finalization_plan};
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

    #[test]
    fn one_index_by_table() {
        let rebuild = |extra| IndexStep::Rebuild { spec: index(extra) };
        let expiry = |seconds: i32| IndexStep::SetExpiry { name: name(), seconds: Bson::Int32(seconds) };
        let cases = [
            (SIX, doc! {}, doc! {}, vec![]),
            (SIX, doc! {"unique": true}, doc! {}, vec![IndexStep::MakeUnique { name: name() }]),
            (FIVE, doc! {"unique": true}, doc! {}, vec![rebuild(doc! {"unique": true})]),
            (SIX, doc! {"unique": true}, doc! {"prepareUnique": true}, vec![IndexStep::MakeUnique { name: name() }]),
            (SIX, doc! {}, doc! {"unique": true}, vec![rebuild(doc! {})]),
            (SIX, doc! {"prepareUnique": true}, doc! {}, vec![IndexStep::PrepareUnique { name: name() }]),
            (SIX, doc! {"expireAfterSeconds": 60}, doc! {}, vec![expiry(60)]),
            (FIVE, doc! {"expireAfterSeconds": 60}, doc! {"expireAfterSeconds": 1_700_000_000}, vec![expiry(60)]),
            (SIX, doc! {"expireAfterSeconds": 60.0}, doc! {"expireAfterSeconds": 60}, vec![]),
            (SIX, doc! {}, doc! {"expireAfterSeconds": 60}, vec![rebuild(doc! {})]),
            (SIX, doc! {"hidden": true}, doc! {}, vec![IndexStep::SetHidden { name: name(), hidden: true }]),
            (SIX, doc! {}, doc! {"hidden": true}, vec![IndexStep::SetHidden { name: name(), hidden: false }]),
            (SIX, doc! {"sparse": true}, doc! {}, vec![rebuild(doc! {"sparse": true})]),
            (
                SIX,
                doc! {"unique": true, "hidden": true, "expireAfterSeconds": 9},
                doc! {},
                vec![
                    IndexStep::MakeUnique { name: name() },
                    IndexStep::SetHidden { name: name(), hidden: true },
                    expiry(9),
                ],
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
        let expiring = doc! {"v": 2, "key": {"x": 1}, "name": "x_1", "expireAfterSeconds": 5};
        let source = [id.clone(), expiring.clone(), text.clone()];
        let plan = finalization_plan(&source, &[id.clone(), index(doc! {})], SIX);
        let expected = [
            IndexStep::Drop { name: name() },
            IndexStep::Create { spec: text },
            IndexStep::CreateExpiring { spec: expiring },
        ];
        assert_eq!(plan, expected);
        assert!(finalization_plan(std::slice::from_ref(&id), std::slice::from_ref(&id), SIX).is_empty());
    }
}
