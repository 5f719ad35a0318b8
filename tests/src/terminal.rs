//! A command at a terminal of its own: for what it says and asks only there.

use std::{
    fs::{File, OpenOptions},
    io::{Read, Write},
    process::{Child, Command},
    sync::{Arc, Mutex},
    thread::JoinHandle,
    time::Duration,
};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use tokio::time::{Instant, sleep};

use crate::signals;

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(180);
const POLL: Duration = Duration::from_millis(20);

/// Dropped, the command is killed.
pub struct Terminal {
    child: Child,
    keyboard: File,
    screen: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
}

impl Terminal {
    /// Starts `command` with the terminal as its input and output.
    pub fn run(mut command: Command) -> Self {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).expect("a terminal");
        grantpt(&ours).expect("the terminal is ours");
        unlockpt(&ours).expect("the terminal opens");
        let name = ptsname(&ours, Vec::new()).expect("the terminal has a name");
        let name = name.to_str().expect("its name is text");
        let theirs = OpenOptions::new().read(true).write(true).open(name).expect("the terminal opens");
        let end = || theirs.try_clone().expect("the terminal opens again");
        let child = command.stdin(end()).stdout(end()).stderr(end()).spawn().expect("the command starts");
        let keyboard = File::from(ours);
        let screen = Arc::new(Mutex::new(String::new()));
        let reader = follow(keyboard.try_clone().expect("the terminal opens again"), screen.clone());
        // The command holds the terminal's other end now, and so does `command` until it is dropped here.
        drop(command);
        Self { child, keyboard, screen, reader: Some(reader) }
    }

    /// Everything shown so far.
    pub fn screen(&self) -> String {
        self.screen.lock().expect("no panic").clone()
    }

    /// Waits until `text` is shown.
    pub async fn wait_for(&mut self, text: &str) {
        let began = Instant::now();
        while !self.screen().contains(text) {
            if self.child.try_wait().expect("a child can be asked").is_some() {
                self.read_to_end();
                assert!(self.screen().contains(text), "ended before {text:?}:\n{}", self.screen());
            }
            assert!(began.elapsed() < PATIENCE, "never came: {text:?}\n{}", self.screen());
            sleep(POLL).await;
        }
    }

    /// What the ended command said last may not be read yet.
    fn read_to_end(&mut self) {
        if let Some(reader) = self.reader.take() {
            reader.join().expect("no panic");
        }
    }

    /// Types a line.
    pub fn say(&mut self, line: &str) {
        self.keyboard.write_all(format!("{line}\n").as_bytes()).expect("the terminal takes a line");
    }

    /// SIGTERM.
    pub fn stop(&self) {
        signals::stop(self.child.id());
    }

    /// Waits for the command's end: its exit code.
    pub async fn end(mut self) -> Option<i32> {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a child can be asked") {
                return status.code();
            }
            assert!(began.elapsed() < PATIENCE, "the command does not end:\n{}", self.screen());
            sleep(POLL).await;
        }
    }
}

/// Until the command has closed its end, which is reported as an error.
fn follow(mut terminal: File, screen: Arc<Mutex<String>>) -> JoinHandle<()> {
    std::thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok(count @ 1..) = terminal.read(&mut bytes) {
            screen.lock().expect("no panic").push_str(&String::from_utf8_lossy(&bytes[..count]));
        }
    })
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill().and_then(|()| self.child.wait());
    }
}
