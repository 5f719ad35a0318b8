//! The name of a migration. It becomes part of NATS stream, bucket and subject names, so its alphabet is small.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// 1 to 32 characters of `a–z`, `0–9` and `-`, starting with a letter or digit.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(with = "String")]
#[serde(try_from = "String", into = "String")]
pub struct MigrationId(String);

/// The text is no migration id.
#[derive(Debug, thiserror::Error)]
#[error("migration id {0:?} must be 1 to 32 characters of a-z, 0-9 and '-', and start with a letter or digit")]
pub struct InvalidMigrationId(String);

impl MigrationId {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for MigrationId {
    type Err = InvalidMigrationId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let valid = (1..=32).contains(&text.len()) && text.chars().all(allowed) && !text.starts_with('-');
        if valid { Ok(Self(text.to_owned())) } else { Err(InvalidMigrationId(text.to_owned())) }
    }
}

impl TryFrom<String> for MigrationId {
    type Error = InvalidMigrationId;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<MigrationId> for String {
    fn from(id: MigrationId) -> Self {
        id.0
    }
}

impl fmt::Display for MigrationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::MigrationId;

    #[test]
    fn only_names_safe_in_subjects_pass() {
        for good in ["a", "orders-2026", "0", &"x".repeat(32)] {
            assert!(good.parse::<MigrationId>().is_ok(), "{good}");
        }
        for bad in ["", "-a", "A", "a.b", "a b", "a*", "ü", &"x".repeat(33)] {
            assert!(bad.parse::<MigrationId>().is_err(), "{bad}");
        }
    }
}
