//! Which changes of a collection's documents have to keep their order among each other.

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WriteOrder {
    /// Those of one document.
    #[default]
    ByDocument,
    /// Those of one document, and those of all documents whose `_id`s are texts: under the collection's default collation,
    /// texts of other bytes may be equal.
    UnderCollation,
    /// All: the order of the documents is part of what a capped collection holds.
    Whole,
}
