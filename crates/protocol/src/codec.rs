//! The one encoding of everything that travels on the bus: a version byte, then MessagePack with named fields.

use serde::{Serialize, de::DeserializeOwned};

use crate::{Explain, Retry};

/// The version this build writes, and the only one it reads.
pub const FORMAT_VERSION: u8 = 2;

#[derive(Debug, thiserror::Error)]
pub enum CodecError {
    #[error("the message is in format {found}; this build reads format {FORMAT_VERSION}")]
    OtherVersion { found: u8 },
    #[error("the message is empty")]
    Empty,
    #[error("the message does not decode as {expected}")]
    Malformed {
        expected: &'static str,
        #[source]
        cause: rmp_serde::decode::Error,
    },
    #[error("{what} does not encode")]
    Unencodable {
        what: &'static str,
        #[source]
        cause: rmp_serde::encode::Error,
    },
}

impl Explain for CodecError {
    fn code(&self) -> &'static str {
        match self {
            Self::OtherVersion { .. } => "MF-CODEC-1",
            Self::Empty | Self::Malformed { .. } => "MF-CODEC-2",
            Self::Unencodable { .. } => "MF-CODEC-3",
        }
    }

    fn hint(&self) -> String {
        match self {
            Self::OtherVersion { .. } => {
                "This migration was begun by another version of mongoferry. Finish it with that \
                version, or cancel it there and begin anew with this one. Nothing was touched."
                    .into()
            }
            Self::Empty | Self::Malformed { .. } => {
                "Something else writes to mongoferry's streams, or the bus's store is \
                damaged. Nothing was applied from this message; keep the state directory and report it."
                    .into()
            }
            Self::Unencodable { .. } => "This is a defect of mongoferry: please report it with this message.".into(),
        }
    }

    fn retry(&self) -> Retry {
        Retry::Never
    }
}

/// Encodes `value` for the bus.
pub fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, CodecError> {
    let mut bytes = vec![FORMAT_VERSION];
    rmp_serde::encode::write_named(&mut bytes, value)
        .map_err(|cause| CodecError::Unencodable { what: std::any::type_name::<T>(), cause })?;
    Ok(bytes)
}

/// Decodes what [`encode`] wrote. Refuses other versions; never panics, whatever the input.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CodecError> {
    match bytes.split_first() {
        None => Err(CodecError::Empty),
        Some((&FORMAT_VERSION, body)) => rmp_serde::from_slice(body)
            .map_err(|cause| CodecError::Malformed { expected: std::any::type_name::<T>(), cause }),
        Some((&found, _)) => Err(CodecError::OtherVersion { found }),
    }
}

#[cfg(test)]
mod tests {
    use super::{CodecError, FORMAT_VERSION, decode, encode};
    use crate::Optime;

    #[test]
    fn what_was_written_is_read() {
        let optime = Optime::new(7, 9);
        assert_eq!(decode::<Optime>(&encode(&optime).expect("encodes")).expect("decodes"), optime);
    }

    #[test]
    fn another_version_is_refused_by_name() {
        let mut bytes = encode(&Optime::ZERO).expect("encodes");
        bytes[0] = 9;
        assert!(matches!(decode::<Optime>(&bytes), Err(CodecError::OtherVersion { found: 9 })));
        assert!(matches!(decode::<Optime>(&[]), Err(CodecError::Empty)));
        assert!(matches!(decode::<Optime>(&[FORMAT_VERSION, 0xc1]), Err(CodecError::Malformed { .. })));
    }
}
