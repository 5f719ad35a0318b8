//! The file itself: named texts, redacted, in a compressed archive.

use std::{fs::OpenOptions, io, os::unix::fs::OpenOptionsExt, path::Path};

use flate2::{Compression, write::GzEncoder};
use mongoferry_protocol::now_ms;

use super::redact::Redactor;

const DIRECTORY: &str = "mongoferry-support";

pub struct Bundle {
    redactor: Redactor,
    entries: Vec<(String, String)>,
    missing: Vec<String>,
}

impl Bundle {
    pub fn new(redactor: Redactor) -> Self {
        Self { redactor, entries: Vec::new(), missing: Vec::new() }
    }

    /// By its name: JSON, figures (`.txt`), or a log.
    pub fn add(&mut self, name: &str, text: &str) {
        let redacted = match name.rsplit_once('.') {
            Some((_, "json")) => self.redactor.json(text),
            Some((_, "txt")) => self.redactor.figures(text),
            _ => self.redactor.text(text),
        };
        self.entries.push((name.to_owned(), redacted));
    }

    /// What could not be had, and why.
    pub fn miss(&mut self, name: &str, why: &dyn std::fmt::Display) {
        self.missing.push(self.redactor.text(&format!("{name}: {why}")));
    }

    pub fn missing(&self) -> &[String] {
        &self.missing
    }

    /// Readable by its owner alone.
    pub fn write(mut self, path: &Path) -> io::Result<()> {
        let missing: String = self.missing.iter().map(|line| format!("{line}\n")).collect();
        self.entries.push(("missing.txt".into(), missing));
        let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
        let mut archive = tar::Builder::new(GzEncoder::new(file, Compression::default()));
        for (name, text) in &self.entries {
            let mut header = tar::Header::new_gnu();
            header.set_size(text.len() as u64);
            header.set_mode(0o600);
            header.set_mtime(now_ms() / 1_000);
            archive.append_data(&mut header, format!("{DIRECTORY}/{name}"), text.as_bytes())?;
        }
        archive.into_inner()?.finish()?.sync_all()
    }
}
