//! Signals to processes that a scenario started.

use rustix::process::{Pid, Signal, kill_process};

/// SIGKILL: the process gets no chance to tidy up.
pub fn kill(pid: u32) {
    send(pid, Signal::KILL);
}

/// The child of `parent` that runs the program `name`.
pub fn child_of(parent: u32, name: &str) -> u32 {
    // Each thread has children of its own.
    let threads = std::fs::read_dir(format!("/proc/{parent}/task")).expect("it runs").flatten();
    let children = threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("children")).ok());
    let children = children.collect::<Vec<_>>().join(" ");
    let runs = |pid: &&str| {
        let program = std::fs::read_link(format!("/proc/{pid}/exe")).unwrap_or_default();
        program.file_name().is_some_and(|file| file == name)
    };
    let child = children.split_whitespace().find(runs).unwrap_or_else(|| panic!("{name} is not among {children}"));
    child.parse().expect("a process id")
}

/// SIGTERM.
pub fn stop(pid: u32) {
    send(pid, Signal::TERM);
}

fn send(pid: u32, signal: Signal) {
    let pid = Pid::from_raw(pid as i32).expect("a process id is not 0");
    kill_process(pid, signal).expect("the process is there");
}
