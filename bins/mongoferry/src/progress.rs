//! What the operator sees while a migration runs, on standard error: bars on a terminal, lines elsewhere, JSON on request.

mod bars;
mod line_due;
mod phrases;

use std::io::IsTerminal;

use bars::Bars;
use line_due::LineDue;
use mongoferry_protocol::MigrationStatus;
use mongoferry_stage::LogFormat;
pub use phrases::{copy_phrase, index_phrase, lag_phrase, phase_phrase, progress_line};

pub struct Screen(Form);

enum Form {
    Bars(Bars),
    Lines(LineDue),
    Json(LineDue),
}

impl Screen {
    pub fn new(log: LogFormat) -> Self {
        Self(match log {
            LogFormat::Json => Form::Json(LineDue::default()),
            LogFormat::Human if std::io::stderr().is_terminal() => Form::Bars(Bars::new()),
            LogFormat::Human => Form::Lines(LineDue::default()),
        })
    }

    /// A line that stays.
    pub fn say(&self, text: &str) {
        match &self.0 {
            Form::Bars(bars) => bars.say(text),
            Form::Lines(_) => eprintln!("{text}"),
            Form::Json(_) => tracing::info!("{text}"),
        }
    }

    /// The present state, in place of the last one.
    pub fn show(&mut self, status: &MigrationStatus) {
        match &mut self.0 {
            Form::Bars(bars) => bars.show(status),
            Form::Lines(due) => {
                if due.now(status.phase) {
                    eprintln!("{}", progress_line(status));
                }
            }
            Form::Json(due) => {
                if due.now(status.phase) {
                    log(status);
                }
            }
        }
    }

    /// Takes down what is not to stay; lines may follow.
    pub fn clear(&mut self) {
        if let Form::Bars(bars) = &self.0 {
            bars.clear();
            self.0 = Form::Lines(LineDue::default());
        }
    }
}

fn log(status: &MigrationStatus) {
    tracing::info!(
        phase = status.phase.as_str(),
        documents = status.documents,
        bytes = status.bytes,
        bytes_total = status.bytes_total,
        changes_applied = status.changes_applied,
        lag_ms = status.lag.map(|lag| lag.total_ms),
        "{}",
        progress_line(status)
    );
}
