//! The token of the HTTP API, for who serves it and who calls it.

use std::path::PathBuf;

use clap::Args;

use crate::secret_file::{SecretFileError, secret};

#[derive(Args, Clone, Debug, Default)]
pub struct ApiTokenArgs {
    /// File whose first line is the API's token.
    ///
    /// Without it the token is taken from MONGOFERRY_API_TOKEN, if there is one.
    #[arg(long, value_name = "FILE", env = "MONGOFERRY_API_TOKEN_FILE")]
    pub api_token_file: Option<PathBuf>,
}

impl ApiTokenArgs {
    /// `None` if the API wants none.
    pub fn token(&self) -> Result<Option<String>, SecretFileError> {
        secret("API token", "MONGOFERRY_API_TOKEN", self.api_token_file.as_deref())
    }
}
