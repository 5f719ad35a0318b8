//! From the first line of a command to its exit code.

use std::{process::ExitCode, time::Duration};

use crate::{command_line::Command, error_text::error_text, exit::Exit};

/// Runs a command, shows its error if it ends with one, and gives the exit code.
pub fn run_command(command: Command) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.expect("the operating system gives a process its threads");
    let exit = match runtime.block_on(command.run()) {
        Ok(exit) => exit,
        Err(error) => {
            eprintln!("{}", error_text(&error));
            Exit::of_error(&error)
        }
    };
    // A download or a question at the terminal may still be under way.
    runtime.shutdown_timeout(Duration::from_millis(100));
    ExitCode::from(exit.code())
}
