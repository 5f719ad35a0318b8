//! The two clusters, as options that every binary spells alike.

use std::path::PathBuf;

use clap::Args;

use crate::{SecretUri, SecretUriError};

#[derive(Args, Clone, Debug)]
pub struct SourceArgs {
    /// Connection string of the source replica set. Any member may be named.
    #[arg(long, value_name = "URI", env = "MONGOFERRY_SOURCE", hide_env_values = true, value_parser = secret)]
    source: Option<SecretUri>,
    /// File whose first line is the source's connection string.
    #[arg(long, value_name = "FILE", env = "MONGOFERRY_SOURCE_URI_FILE")]
    source_uri_file: Option<PathBuf>,
}

#[derive(Args, Clone, Debug)]
pub struct DestinationArgs {
    /// Connection string of the destination replica set.
    #[arg(long, value_name = "URI", env = "MONGOFERRY_DESTINATION", hide_env_values = true, value_parser = secret)]
    destination: Option<SecretUri>,
    /// File whose first line is the destination's connection string.
    #[arg(long, value_name = "FILE", env = "MONGOFERRY_DESTINATION_URI_FILE")]
    destination_uri_file: Option<PathBuf>,
}

impl SourceArgs {
    /// The connection string, for a binary that can do without.
    pub fn uri_if_given(&self) -> Result<Option<SecretUri>, SecretUriError> {
        match self.uri() {
            Ok(uri) => Ok(Some(uri)),
            Err(SecretUriError::Missing { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub fn uri(&self) -> Result<SecretUri, SecretUriError> {
        let uri = self.source.as_ref().map(SecretUri::reveal);
        SecretUri::from_either("source", uri, self.source_uri_file.as_deref())
    }
}

impl DestinationArgs {
    pub fn uri(&self) -> Result<SecretUri, SecretUriError> {
        let uri = self.destination.as_ref().map(SecretUri::reveal);
        SecretUri::from_either("destination", uri, self.destination_uri_file.as_deref())
    }
}

fn secret(text: &str) -> Result<SecretUri, std::convert::Infallible> {
    Ok(SecretUri::new(text))
}
