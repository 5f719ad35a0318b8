//! Where a migration's state is kept if the user names no place: by the XDG rules, as data that outlives restarts.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use mongoferry_protocol::MigrationId;

use crate::launcher_error::LauncherError;

/// As it is shown in the help.
pub const DEFAULT_PLACE: &str = "~/.local/state/mongoferry/<id>";

/// `state_home` and `home` are the variables XDG_STATE_HOME and HOME.
pub fn default_place(
    id: &MigrationId,
    state_home: Option<OsString>,
    home: Option<OsString>,
) -> Result<PathBuf, LauncherError> {
    let absolute = |variable: Option<OsString>| variable.map(PathBuf::from).filter(|path| path.is_absolute());
    let base = match (absolute(state_home), absolute(home)) {
        (Some(state_home), _) => state_home,
        (None, Some(home)) => home.join(Path::new(".local/state")),
        (None, None) => return Err(LauncherError::NoHome),
    };
    Ok(base.join("mongoferry").join(id.as_str()))
}

#[cfg(test)]
mod tests {
    use super::default_place;

    #[test]
    fn follows_the_xdg_rules() {
        let id = "orders".parse().unwrap();
        let place =
            |state: Option<&str>, home: Option<&str>| default_place(&id, state.map(Into::into), home.map(Into::into));
        assert_eq!(place(Some("/s"), Some("/h")).unwrap().to_str(), Some("/s/mongoferry/orders"));
        assert_eq!(place(Some("relative"), Some("/h")).unwrap().to_str(), Some("/h/.local/state/mongoferry/orders"));
        assert!(place(None, None).is_err());
    }
}
