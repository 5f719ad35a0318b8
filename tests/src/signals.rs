//! Signals to processes that a scenario started.

use rustix::process::{Pid, Signal, kill_process};

/// SIGKILL: the process gets no chance to tidy up.
pub fn kill(pid: u32) {
    send(pid, Signal::KILL);
}

/// SIGTERM.
pub fn stop(pid: u32) {
    send(pid, Signal::TERM);
}

fn send(pid: u32, signal: Signal) {
    let pid = Pid::from_raw(pid as i32).expect("a process id is not 0");
    kill_process(pid, signal).expect("the process is there");
}
