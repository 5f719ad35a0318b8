//! A collection's UUID on the source: what ranges, batches and keys name it by, because names change under way.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The 16 bytes of a MongoDB collection UUID. Displayed as 32 hexadecimal digits, which is also its form in keys.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(with = "String")]
#[serde(try_from = "String", into = "String")]
pub struct CollectionUuid([u8; 16]);

/// The text is not 32 hexadecimal digits.
#[derive(Debug, thiserror::Error)]
#[error("collection UUID {0:?} is not 32 hexadecimal digits")]
pub struct InvalidCollectionUuid(String);

impl CollectionUuid {
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    pub const fn bytes(&self) -> [u8; 16] {
        self.0
    }
}

impl FromStr for CollectionUuid {
    type Err = InvalidCollectionUuid;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidCollectionUuid(text.to_owned());
        if text.len() != 32 || !text.is_ascii() {
            return Err(invalid());
        }
        let mut bytes = [0; 16];
        for (i, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * i..2 * i + 2], 16).map_err(|_| invalid())?;
        }
        Ok(Self(bytes))
    }
}

impl TryFrom<String> for CollectionUuid {
    type Error = InvalidCollectionUuid;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<CollectionUuid> for String {
    fn from(uuid: CollectionUuid) -> Self {
        uuid.to_string()
    }
}

impl fmt::Display for CollectionUuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for CollectionUuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CollectionUuid({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::CollectionUuid;

    #[test]
    fn text_and_bytes_are_one() {
        let uuid = CollectionUuid::from_bytes([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255]);
        assert_eq!(uuid.to_string(), "000102030405060708090a0b0c0d0eff");
        assert_eq!(uuid.to_string().parse::<CollectionUuid>().expect("its own text"), uuid);
        assert!("00".parse::<CollectionUuid>().is_err());
        assert!("+00102030405060708090a0b0c0d0eff0".parse::<CollectionUuid>().is_err());
    }
}
