//! The last word before anything is written: the review, and the operator's yes.

use mongoferry_protocol::ValidationReport;

use crate::{
    launch::{Consent, Launch},
    launcher_error::LauncherError,
    progress::Screen,
    question::{agreed, can_be_asked},
    review_text::review_text,
};

/// Whether the migration may begin. One that has begun is not asked about again, unless something is still to be dropped.
pub async fn consent(
    launch: &Launch,
    has_begun: bool,
    report: &ValidationReport,
    screen: &mut Screen,
) -> Result<bool, LauncherError> {
    if has_begun && report.to_drop.is_empty() {
        return Ok(true);
    }
    screen.say(&format!("\n{}", review_text(report)));
    if launch.consent == Consent::Given || !can_be_asked() {
        return Ok(true);
    }
    screen.clear();
    let agreed = agreed(question(report)).await?;
    *screen = Screen::new(launch.log);
    Ok(agreed)
}

fn question(report: &ValidationReport) -> &'static str {
    if report.to_drop.is_empty() { "Begin this migration?" } else { "Drop what is listed above, and begin?" }
}
