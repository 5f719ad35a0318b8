//! Leave to drop what stands on the destination, spelt alike by every binary that asks for it.

use clap::{Args, builder::FalseyValueParser};
use mongoferry_protocol::{Explain, Retry};

#[derive(Args, Clone, Debug, Default)]
pub struct DropArgs {
    /// Before the copy, drop from the destination the collections and views whose names the source has too. Needs
    /// --confirm-destination.
    #[arg(long, env = "MONGOFERRY_DROP", value_parser = FalseyValueParser::new())]
    drop: bool,
    /// The name of the destination's replica set, typed out as leave for --drop.
    #[arg(long, value_name = "NAME", env = "MONGOFERRY_CONFIRM_DESTINATION")]
    confirm_destination: Option<String>,
}

/// One of the two options without the other.
#[derive(Debug, thiserror::Error)]
pub enum DropArgsError {
    #[error("--drop is given without the name of the destination's replica set")]
    Unconfirmed,
    #[error("--confirm-destination is given without --drop")]
    NothingToConfirm,
}

impl DropArgs {
    /// The replica set that may be dropped from, as it was typed; `None` if nothing may be dropped.
    pub fn confirmed(&self) -> Result<Option<&str>, DropArgsError> {
        match (self.drop, self.confirm_destination.as_deref()) {
            (true, None) => Err(DropArgsError::Unconfirmed),
            (false, Some(_)) => Err(DropArgsError::NothingToConfirm),
            (_, name) => Ok(name),
        }
    }
}

impl Explain for DropArgsError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unconfirmed => "MF-ARGS-4",
            Self::NothingToConfirm => "MF-ARGS-5",
        }
    }

    fn hint(&self) -> String {
        match self {
            Self::Unconfirmed => {
                "Type it out: --confirm-destination NAME. `mongoferry validate` shows the name, and what \
                would be dropped."
                    .into()
            }
            Self::NothingToConfirm => {
                "Give --drop too, or leave out --confirm-destination; nothing was dropped.".into()
            }
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Unconfirmed | Self::NothingToConfirm => Retry::AfterFix,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::DropArgs;

    #[test]
    fn both_or_none() {
        let args = |drop, name: Option<&str>| DropArgs { drop, confirm_destination: name.map(Into::into) };
        assert!(args(true, None).confirmed().is_err() && args(false, Some("rs")).confirmed().is_err());
        assert_eq!(args(true, Some("rs")).confirmed().ok(), Some(Some("rs")));
        assert_eq!(args(false, None).confirmed().ok(), Some(None));
    }
}
