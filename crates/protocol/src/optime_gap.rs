//! What lies between two optimes.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Optime;

/// How far the last applied entry is behind the source's last one, as exactly as their optimes tell: 0 and 0 only if it is the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OptimeGap {
    /// Seconds.
    pub t: u32,
    /// Within one second, the counter's difference; otherwise the counter in the source's last second.
    pub i: u32,
}

impl OptimeGap {
    pub fn between(source: Optime, applied: Optime) -> Self {
        match source.t.saturating_sub(applied.t) {
            _ if applied >= source => Self::default(),
            0 => Self { t: 0, i: source.i - applied.i },
            seconds => Self { t: seconds, i: source.i },
        }
    }

    pub fn is_closed(self) -> bool {
        self == Self::default()
    }
}

/// `0`, or as an optime is written.
impl fmt::Display for OptimeGap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_closed() { f.write_str("0") } else { write!(f, "{}:{}", self.t, self.i) }
    }
}

#[cfg(test)]
mod tests {
    use super::OptimeGap;
    use crate::Optime;

    #[test]
    fn a_gap_is_closed_only_at_the_same_entry() {
        let gap = |source: (u32, u32), applied: (u32, u32)| {
            OptimeGap::between(Optime::new(source.0, source.1), Optime::new(applied.0, applied.1)).to_string()
        };
        assert_eq!(gap((9, 4), (9, 4)), "0");
        assert_eq!(gap((9, 4), (9, 1)), "0:3");
        assert_eq!(gap((9, 4), (7, 8)), "2:4");
        assert_eq!(gap((9, 4), (10, 1)), "0", "the source was asked before");
    }
}
