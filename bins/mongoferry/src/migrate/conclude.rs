//! The end of a migration: what is printed, what is kept, and the exit code.

use mongoferry_protocol::{Report, WriteBlockStatus};

use crate::{
    amounts::counted,
    ending::{End, Ending},
    error_text::failure_status_text,
    exit::Exit,
    launcher_error::LauncherError,
    progress::progress_line,
    report_markdown::report_markdown,
    standard_output::print_data,
    state_dir::{Ended, StateDir},
    status_text::standing_block,
};

const REPORT_MARKDOWN: &str = "report.md";
const REPORT_JSON: &str = "report.json";

pub fn conclude(end: &End, state_dir: &mut StateDir) -> Result<Exit, LauncherError> {
    let markdown = report_markdown(&end.report);
    state_dir.write(REPORT_JSON, &(report_json(end) + "\n"))?;
    // Behind the report, so that whoever finds the end finds the report too.
    state_dir.write(REPORT_MARKDOWN, &markdown)?;
    match end.ending {
        Ending::Committed => {
            state_dir.record_end(Ended::Committed)?;
            print_data(&markdown)?;
        }
        Ending::Rehearsed => {
            state_dir.record_end(Ended::Rehearsed)?;
            print_data(&markdown)?;
        }
        Ending::Cancelled => {
            state_dir.record_end(Ended::Cancelled)?;
            eprintln!("{}", left_behind(end));
        }
        Ending::Failed => eprintln!("{}\n  log    {}", failed_text(end), state_dir.at("logs").display()),
    }
    end.status.write_blocks.iter().for_each(|block| eprintln!("{}", standing_block(block)));
    Ok(end.exit())
}

/// For a start in the directory of a migration that has ended.
pub fn again(state_dir: &StateDir) -> Result<Option<Exit>, LauncherError> {
    match state_dir.state().ended {
        None => Ok(None),
        Some(Ended::Cancelled) => Err(was_cancelled(state_dir)),
        Some(end @ (Ended::Committed | Ended::Rehearsed)) => {
            let path = state_dir.at(REPORT_MARKDOWN);
            let report = std::fs::read_to_string(&path);
            print_data(&report.map_err(LauncherError::io(format!("read {}", path.display())))?)?;
            eprintln!("this migration is {}; nothing was done", end.as_str());
            Ok(Some(Exit::Done))
        }
    }
}

pub fn was_cancelled(state_dir: &StateDir) -> LauncherError {
    LauncherError::WasCancelled { dir: state_dir.path().to_owned() }
}

/// What a migration that was cancelled while a cluster was away left there, as its report tells.
pub fn blocks_left(state_dir: &StateDir) -> Vec<WriteBlockStatus> {
    let report = std::fs::read(state_dir.at(REPORT_JSON)).ok();
    // Whoever removed the report is told nothing new by it.
    let report: Option<Report> = report.and_then(|report| serde_json::from_slice(&report).ok());
    match state_dir.state().ended {
        Some(Ended::Cancelled) => report.map(|report| report.write_blocks).unwrap_or_default(),
        _ => Vec::new(),
    }
}

fn report_json(end: &End) -> String {
    serde_json::to_string_pretty(&end.report).expect("a report has nothing that JSON lacks")
}

fn failed_text(end: &End) -> String {
    let mut lines: Vec<_> = end.status.failures.iter().map(failure_status_text).collect();
    for difference in &end.report.differences {
        let item = difference.item.as_ref().map(|item| format!(" {item}")).unwrap_or_default();
        lines.push(format!("  differs  {}{item}: {}", difference.namespace, difference.detail));
    }
    lines.push(format!("  state  {}", progress_line(&end.status)));
    lines.join("\n")
}

fn left_behind(end: &End) -> String {
    let status = &end.status;
    let begun = status.collections.iter().filter(|collection| collection.documents > 0).count() as u64;
    if begun == 0 {
        return "cancelled; no document was copied".into();
    }
    format!(
        "cancelled; the destination keeps {} in {}: drop them before another attempt",
        counted(status.documents, "copied document"),
        counted(begun, "collection")
    )
}
