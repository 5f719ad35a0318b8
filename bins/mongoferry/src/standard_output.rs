//! Data for whoever reads standard output.

use std::io::{self, Write};

use crate::launcher_error::LauncherError;

/// Prints `text`. A reader that has read enough and went away is no error.
pub fn print_data(text: &str) -> Result<(), LauncherError> {
    let mut output = io::stdout().lock();
    match output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(LauncherError::io("write to standard output")(error))
        }
        _ => Ok(()),
    }
}
