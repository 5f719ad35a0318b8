//! A failure as text for people, the same in every binary.

use mongoferry_protocol::Failure;

/// Several lines: who and code, what, the causes, what to do.
pub fn failure_text(failure: &Failure) -> String {
    let mut text = format!("{} failed [{}]\n  what   {}", failure.role, failure.code, failure.message);
    for cause in &failure.causes {
        text += &format!("\n  cause  {cause}");
    }
    text + &format!("\n  do     {}", failure.hint)
}
