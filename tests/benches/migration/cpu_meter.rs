//! CPU time of every process that takes part, sampled all the time, so that any interval can be asked for afterwards.
//!
//! A thread of its own reads /proc every 25 ms, also while the runtime is busy. What a process used between its last
//! sample and its end is lost.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, SystemTime},
};

use crate::{cost::Cost, process_tree};

const EVERY: Duration = Duration::from_millis(25);
/// Finding new children costs more than asking known processes.
const LOOK_FOR_CHILDREN: u32 = 4;

/// Milliseconds since 1970, as all records of the product are timed.
pub type At = f64;

pub fn now() -> At {
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("the clock is set");
    since_1970.as_secs_f64() * 1_000.0
}

pub struct CpuMeter {
    watched: Arc<Mutex<Watched>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Watched {
    machine: Series,
    /// By process id, which is given to another process one day.
    processes: BTreeMap<u32, Process>,
    /// Whose descendants are watched too, each under its program's name.
    ancestor: Option<u32>,
}

struct Process {
    part: String,
    used: Series,
    ended: bool,
}

/// Seconds of CPU used until then; grows.
#[derive(Default)]
struct Series(Vec<(At, f64)>);

impl CpuMeter {
    pub fn start() -> Self {
        let (watched, stop) = (Arc::new(Mutex::new(Watched::default())), Arc::new(AtomicBool::new(false)));
        let (shared, stopped) = (watched.clone(), stop.clone());
        let thread = std::thread::spawn(move || {
            let mut turn = 0_u32;
            while !stopped.load(Ordering::Relaxed) {
                lock(&shared).sample(turn.is_multiple_of(LOOK_FOR_CHILDREN));
                turn = turn.wrapping_add(1);
                std::thread::sleep(EVERY);
            }
        });
        Self { watched, stop, thread: Some(thread) }
    }

    pub fn watch(&self, pid: u32, part: &str) {
        lock(&self.watched).processes.insert(pid, Process::new(part.to_owned()));
    }

    /// Watches a process and whatever it starts.
    pub fn watch_tree(&self, pid: u32) {
        lock(&self.watched).ancestor = Some(pid);
    }

    /// What was used between two instants, the last of which has passed.
    pub fn cost(&self, from: At, to: At) -> Cost {
        let watched = lock(&self.watched);
        let seconds = (to - from) / 1_000.0;
        let mut cpu: BTreeMap<String, f64> = BTreeMap::new();
        for process in watched.processes.values() {
            let used = process.used.between(from, to);
            if used > 0.0 {
                *cpu.entry(process.part.clone()).or_default() += used;
            }
        }
        let cores = std::thread::available_parallelism().map_or(1.0, |cores| cores.get() as f64);
        let others = watched.machine.between(from, to) - cpu.values().sum::<f64>();
        Cost { seconds, cpu, other_busy: (others / (seconds * cores)).max(0.0), units: 0.0 }
    }
}

impl Drop for CpuMeter {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A panic there was shown already.
            let _ = thread.join();
        }
    }
}

fn lock(watched: &Mutex<Watched>) -> MutexGuard<'_, Watched> {
    watched.lock().expect("the sampling thread does not panic")
}

impl Watched {
    fn sample(&mut self, look_for_children: bool) {
        if look_for_children {
            self.look_for_children();
        }
        let at = now();
        self.machine.0.push((at, process_tree::machine_busy_seconds()));
        for (pid, process) in self.processes.iter_mut().filter(|(_, process)| !process.ended) {
            match process_tree::cpu_seconds(*pid) {
                Some(used) => process.used.0.push((at, used)),
                None => process.ended = true,
            }
        }
    }

    fn look_for_children(&mut self) {
        let Some(ancestor) = self.ancestor else { return };
        for pid in process_tree::descendants(ancestor).into_iter().chain([ancestor]) {
            if !self.processes.contains_key(&pid)
                && let Some(program) = process_tree::program(pid)
            {
                self.processes.insert(pid, Process::new(program));
            }
        }
    }
}

impl Process {
    fn new(part: String) -> Self {
        Self { part, used: Series::default(), ended: false }
    }
}

impl Series {
    fn between(&self, from: At, to: At) -> f64 {
        self.at(to) - self.at(from)
    }

    /// Between samples, as if used evenly; before the first, nothing was; after the last, nothing more is.
    fn at(&self, at: At) -> f64 {
        let after = self.0.partition_point(|(sampled, _)| *sampled <= at);
        match (after.checked_sub(1).map(|before| self.0[before]), self.0.get(after)) {
            (Some((t0, used0)), Some((t1, used1))) => used0 + (used1 - used0) * (at - t0) / (t1 - t0),
            (Some((_, used)), None) => used,
            (None, _) => 0.0,
        }
    }
}
