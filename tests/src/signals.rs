//! Signals to processes that a scenario started.

use rustix::{
    io::Errno,
    process::{Pid, Signal, kill_process},
};

/// SIGKILL: the process gets no chance to tidy up.
pub fn kill(pid: u32) {
    send(pid, Signal::KILL);
}

/// The child of `parent` that runs the program `name`.
pub fn child_of(parent: u32, name: &str) -> u32 {
    child_if_any(parent, name).unwrap_or_else(|| panic!("{name} is not among the children of {parent}"))
}

pub fn child_if_any(parent: u32, name: &str) -> Option<u32> {
    let runs = |pid: &u32| {
        let program = std::fs::read_link(format!("/proc/{pid}/exe")).unwrap_or_default();
        program.file_name().is_some_and(|file| file == name)
    };
    children_of(parent).into_iter().find(runs)
}

/// All children of `parent`, as they are now.
pub fn children_of(parent: u32) -> Vec<u32> {
    // Each thread has children of its own.
    let threads = std::fs::read_dir(format!("/proc/{parent}/task")).into_iter().flatten().flatten();
    let children = threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("children")).ok());
    children.flat_map(|children| children.split_whitespace().map(str::parse).collect::<Vec<_>>()).flatten().collect()
}

/// Whether it has not ended; one that nobody has waited for yet has.
pub fn is_running(pid: u32) -> bool {
    std::fs::read_link(format!("/proc/{pid}/exe")).is_ok()
}

/// SIGSTOP: the process keeps its memory and its connections, and does nothing.
pub fn suspend(pid: u32) {
    send(pid, Signal::STOP);
}

/// SIGCONT.
pub fn wake(pid: u32) {
    send(pid, Signal::CONT);
}

/// SIGTERM.
pub fn stop(pid: u32) {
    send(pid, Signal::TERM);
}

fn send(pid: u32, signal: Signal) {
    let pid = Pid::from_raw(pid as i32).expect("a process id is not 0");
    match kill_process(pid, signal) {
        // It has just ended by itself.
        Err(Errno::SRCH) | Ok(()) => {}
        Err(error) => panic!("{pid:?} takes no signal: {error}"),
    }
}
