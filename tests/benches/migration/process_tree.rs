//! Processes as /proc shows them: CPU time, children, names.

use std::fs;

/// `utime` and `stime` are counted in these; 100 a second is part of Linux's interface.
const TICKS_PER_SECOND: f64 = 100.0;

/// Seconds of CPU that a process has used with all its threads; nothing once it is gone.
pub fn cpu_seconds(pid: u32) -> Option<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name before the last parenthesis may hold anything.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    Some(ticks as f64 / TICKS_PER_SECOND)
}

/// Seconds of CPU that the whole machine was busy, on all cores together.
pub fn machine_busy_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/stat").expect("/proc is mounted");
    let fields = stat.lines().next().unwrap_or_default().split_whitespace().skip(1);
    let ticks: Vec<u64> = fields.map(|field| field.parse().unwrap_or(0)).collect();
    // user, nice, system, idle, iowait, irq, softirq, steal
    let busy: u64 = [0, 1, 2, 5, 6, 7].iter().filter_map(|index| ticks.get(*index)).sum();
    busy as f64 / TICKS_PER_SECOND
}

/// Children of a process, their children, and so on.
pub fn descendants(pid: u32) -> Vec<u32> {
    let mut found = Vec::new();
    let mut unseen = vec![pid];
    while let Some(parent) = unseen.pop() {
        let children = children(parent);
        found.extend(&children);
        unseen.extend(children);
    }
    found
}

/// A child belongs to the thread that started it.
fn children(pid: u32) -> Vec<u32> {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let lists = threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    lists.flat_map(|list| list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<_>>()).collect()
}

/// The file name of the program that a process runs.
pub fn program(pid: u32) -> Option<String> {
    let program = fs::read_link(format!("/proc/{pid}/exe")).ok()?;
    Some(program.file_name()?.to_string_lossy().into_owned())
}
