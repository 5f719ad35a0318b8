//! A secret that is given by environment or in a file, never in an argument.

use std::path::Path;

use mongoferry_protocol::{Explain, Retry};

#[derive(Debug, thiserror::Error)]
pub enum SecretFileError {
    #[error("the file {path} with the {which} is not readable")]
    Unreadable {
        which: &'static str,
        path: String,
        #[source]
        cause: std::io::Error,
    },
    #[error("the first line of the file {path} with the {which} is empty")]
    Empty { which: &'static str, path: String },
    #[error("the {which} is given both in {variable} and as a file")]
    GivenTwice { which: &'static str, variable: &'static str },
}

/// The value of the environment's `variable`, or the first line of `file`; `None` if neither is given.
pub fn secret(
    which: &'static str,
    variable: &'static str,
    file: Option<&Path>,
) -> Result<Option<String>, SecretFileError> {
    let given = std::env::var(variable).ok().filter(|secret| !secret.is_empty());
    match (given, file) {
        (Some(_), Some(_)) => Err(SecretFileError::GivenTwice { which, variable }),
        (given, None) => Ok(given),
        (None, Some(path)) => first_line(which, path).map(Some),
    }
}

fn first_line(which: &'static str, file: &Path) -> Result<String, SecretFileError> {
    let path = file.display().to_string();
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(cause) => return Err(SecretFileError::Unreadable { which, path, cause }),
    };
    match text.lines().next().map(str::trim) {
        Some(line) if !line.is_empty() => Ok(line.to_owned()),
        _ => Err(SecretFileError::Empty { which, path }),
    }
}

impl Explain for SecretFileError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "MF-ARGS-6",
            Self::Empty { .. } => "MF-ARGS-7",
            Self::GivenTwice { .. } => "MF-ARGS-8",
        }
    }

    fn hint(&self) -> String {
        match self {
            Self::Unreadable { path, .. } => format!("Check that {path} exists and may be read by this user."),
            Self::Empty { path, which } => format!("Write the {which} into the first line of {path}."),
            Self::GivenTwice { variable, .. } => format!("Give either {variable} or the file."),
        }
    }

    fn retry(&self) -> Retry {
        Retry::AfterFix
    }
}

#[cfg(test)]
mod tests {
    use super::{SecretFileError, first_line};

    #[test]
    fn the_first_line_counts_and_an_empty_one_is_no_secret() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("token");
        assert!(matches!(first_line("token", &file), Err(SecretFileError::Unreadable { .. })));
        std::fs::write(&file, " a-token \nmore").unwrap();
        assert_eq!(first_line("token", &file).unwrap(), "a-token");
        std::fs::write(&file, "\n").unwrap();
        assert!(matches!(first_line("token", &file), Err(SecretFileError::Empty { .. })));
    }
}
