//! A delta taken apart: what happens to which place of the document, whatever version the entry has.

/// The bytes of a BSON value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Value<'a> {
    pub kind: u8,
    pub bytes: &'a [u8],
}

#[derive(Debug)]
pub(super) struct Delta<'a> {
    pub root: Level<'a>,
    /// Everything that is set, once; places name them by number.
    pub values: Vec<Value<'a>>,
}

/// What happens to the fields of a document, or to the elements of an array.
#[derive(Debug)]
pub(super) struct Level<'a> {
    pub form: Form,
    /// By name or, in an array, by index as text. New fields are added in this order.
    pub places: Vec<(&'a [u8], Place<'a>)>,
    /// These fields are removed if they exist, and added at the end in this order.
    pub moved_to_end: Vec<(&'a [u8], usize)>,
}

/// What must stand there for the changes to have an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Document,
    Array {
        new_length: Option<u32>,
    },
    /// Decided by what stands there: numbers are indexes in an array and names in a document. A missing document is created.
    Either,
}

#[derive(Debug)]
pub(super) enum Place<'a> {
    /// A number of [`Delta::values`]. What is missing is added.
    Set(usize),
    /// An element of an array becomes null.
    Removed,
    Within(Level<'a>),
}

impl<'a> Level<'a> {
    pub fn new(form: Form) -> Self {
        Self { form, places: Vec::new(), moved_to_end: Vec::new() }
    }

    /// Levels of documents and arrays that are changed, this one included.
    pub fn depth(&self) -> usize {
        1 + self.inner().map(Self::depth).max().unwrap_or(0)
    }

    /// Has effect on a place that is missing.
    pub fn sets_something(&self) -> bool {
        self.places.iter().any(|(_, place)| match place {
            Place::Set(_) => true,
            Place::Removed => false,
            Place::Within(level) => level.sets_something(),
        })
    }

    /// The fields that are set on this level ascend byte by byte.
    pub fn sets_in_order_of_names(&self) -> bool {
        let set = self.places.iter().filter(|(_, place)| matches!(place, Place::Set(_)));
        set.map(|(name, _)| *name).is_sorted()
    }

    /// Some names on one level are numbers and don't ascend.
    pub fn has_numbers_out_of_order(&self) -> bool {
        let numbers: Vec<u32> = self.places.iter().filter_map(|(name, _)| index(name)).collect();
        !numbers.is_sorted() || self.inner().any(Self::has_numbers_out_of_order)
    }

    fn inner(&self) -> impl Iterator<Item = &Level<'a>> {
        self.places.iter().filter_map(|(_, place)| match place {
            Place::Within(level) => Some(level),
            Place::Set(_) | Place::Removed => None,
        })
    }
}

/// The index that this name is in an array.
pub(super) fn index(name: &[u8]) -> Option<u32> {
    let is_number = !name.is_empty() && name.iter().all(u8::is_ascii_digit);
    // The server's own limit is far below that of its numbers.
    is_number.then(|| std::str::from_utf8(name).ok()?.parse().ok()).flatten().filter(|index| *index < u32::MAX / 4)
}
