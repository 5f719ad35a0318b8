//! A database and a collection name, checked once where they come in.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `database.collection`; the collection part may itself hold dots and any other character.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(with = "String")]
#[serde(try_from = "String", into = "String")]
pub struct Namespace {
    database: String,
    collection: String,
}

/// The text has no database, no collection, or no dot between them.
#[derive(Debug, thiserror::Error)]
#[error("namespace {0:?} is not of the form database.collection")]
pub struct InvalidNamespace(String);

impl Namespace {
    /// The database on the destination that holds mongoferry's own records; never migrated, never compared.
    pub const OWN_DATABASE: &str = "mongoferry";

    pub fn new(database: impl Into<String>, collection: impl Into<String>) -> Self {
        Self { database: database.into(), collection: collection.into() }
    }

    pub fn database(&self) -> &str {
        &self.database
    }

    pub fn collection(&self) -> &str {
        &self.collection
    }

    /// Where the documents stand on the destination until the cutover: under the same name, except those of `system.js`,
    /// which no server lets a transaction write to (50791, 4.4.2 to 6.0.5). A collection renamed to that name is as good.
    pub fn before_cutover(&self) -> Self {
        match self.collection() {
            "system.js" => Self::new(self.database(), Self::STAND_IN_OF_SYSTEM_JS),
            _ => self.clone(),
        }
    }

    /// The name of which [`Self::before_cutover`] is this one.
    pub fn from_cutover(&self) -> Self {
        match self.collection() {
            Self::STAND_IN_OF_SYSTEM_JS => Self::new(self.database(), "system.js"),
            _ => self.clone(),
        }
    }

    /// The time-series collection whose buckets this collection holds, if it does.
    pub fn time_series(&self) -> Option<Self> {
        let name = self.collection().strip_prefix(Self::BUCKETS)?;
        Some(Self::new(self.database(), name))
    }

    /// The collection that holds the buckets of a time-series collection of this name.
    pub fn buckets(&self) -> Self {
        Self::new(self.database(), format!("{}{}", Self::BUCKETS, self.collection()))
    }

    const STAND_IN_OF_SYSTEM_JS: &str = "mongoferry.stand-in.js";
    const BUCKETS: &str = "system.buckets.";

    /// Databases that belong to the server or to mongoferry and are never migrated.
    pub fn is_internal_database(database: &str) -> bool {
        matches!(database, "admin" | "local" | "config" | Self::OWN_DATABASE)
    }
}

impl FromStr for Namespace {
    type Err = InvalidNamespace;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('.') {
            Some((database, collection)) if !database.is_empty() && !collection.is_empty() => {
                Ok(Self::new(database, collection))
            }
            _ => Err(InvalidNamespace(text.to_owned())),
        }
    }
}

impl TryFrom<String> for Namespace {
    type Error = InvalidNamespace;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Namespace> for String {
    fn from(namespace: Namespace) -> Self {
        namespace.to_string()
    }
}

impl fmt::Display for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.database, self.collection)
    }
}

#[cfg(test)]
mod tests {
    use super::Namespace;

    #[test]
    fn system_js_has_a_stand_in_and_buckets_a_time_series() {
        for name in ["system.js", "orders", "system.buckets.weather"] {
            let namespace = Namespace::new("shop", name);
            assert_eq!(namespace.before_cutover() == namespace, name != "system.js", "{name}");
            assert_eq!(namespace.before_cutover().from_cutover(), namespace);
        }
        let series = Namespace::new("shop", "system.buckets.weather.2026").time_series();
        assert_eq!(series, Some(Namespace::new("shop", "weather.2026")));
        assert_eq!(Namespace::new("shop", "a").buckets(), Namespace::new("shop", "system.buckets.a"));
        assert_eq!(Namespace::new("shop", "buckets").time_series(), None);
    }

    #[test]
    fn splits_at_the_first_dot() {
        let namespace: Namespace = "shop.orders.2026 ü".parse().expect("valid");
        assert_eq!((namespace.database(), namespace.collection()), ("shop", "orders.2026 ü"));
        assert_eq!(namespace.to_string(), "shop.orders.2026 ü");
        for bad in ["", "shop", ".orders", "shop."] {
            assert!(bad.parse::<Namespace>().is_err(), "{bad}");
        }
    }
}
