//! A connection string. It may hold a password, so it never shows itself.

use std::{fmt, path::Path};

use mongoferry_protocol::{Explain, Retry};

/// A MongoDB connection string that prints as `<secret>`.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretUri(String);

#[derive(Debug, thiserror::Error)]
pub enum SecretUriError {
    #[error("the file {path} with the {which} connection string is not readable")]
    Unreadable {
        which: &'static str,
        path: String,
        #[source]
        cause: std::io::Error,
    },
    #[error("no {which} is given")]
    Missing { which: &'static str },
    #[error("the {which} is given both as a connection string and as a file")]
    GivenTwice { which: &'static str },
}

impl SecretUri {
    pub fn new(uri: impl Into<String>) -> Self {
        Self(uri.into())
    }

    /// The connection string itself, for the driver and for nobody else.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Takes the string, or reads the file's first line.
    pub(crate) fn from_either(
        which: &'static str,
        uri: Option<&str>,
        file: Option<&Path>,
    ) -> Result<Self, SecretUriError> {
        match (uri, file) {
            (Some(_), Some(_)) => Err(SecretUriError::GivenTwice { which }),
            (Some(uri), None) => Ok(Self::new(uri)),
            (None, None) => Err(SecretUriError::Missing { which }),
            (None, Some(path)) => match std::fs::read_to_string(path) {
                Ok(text) => Ok(Self::new(text.lines().next().unwrap_or_default().trim())),
                Err(cause) => Err(SecretUriError::Unreadable { which, path: path.display().to_string(), cause }),
            },
        }
    }
}

impl fmt::Debug for SecretUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

impl Explain for SecretUriError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "MF-ARGS-1",
            Self::Missing { .. } => "MF-ARGS-2",
            Self::GivenTwice { .. } => "MF-ARGS-3",
        }
    }

    fn hint(&self) -> String {
        match self {
            Self::Unreadable { path, .. } => format!("Check that {path} exists and may be read by this user."),
            Self::Missing { which } => {
                format!("Give --{which} URI, --{which}-uri-file FILE, or set MONGOFERRY_{}.", which.to_uppercase())
            }
            Self::GivenTwice { which } => {
                format!("Give either --{which} (MONGOFERRY_{}) or --{which}-uri-file.", which.to_uppercase())
            }
        }
    }

    fn retry(&self) -> Retry {
        Retry::AfterFix
    }
}
