//! A length of time as an operator types it: `90s`, `10m`, `2h`.

use std::{fmt, str::FromStr};

const UNITS: [(&str, &str, u64); 3] = [("h", "hour", 3_600), ("m", "minute", 60), ("s", "second", 1)];

/// Whole seconds, at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeLimit {
    seconds: u64,
}

impl TimeLimit {
    /// What is less than a second is left out.
    pub const fn from_ms(ms: u64) -> Self {
        Self { seconds: ms / 1_000 }
    }

    pub const fn as_ms(self) -> u64 {
        self.seconds * 1_000
    }

    /// As it can be typed again.
    pub fn as_argument(self) -> String {
        format!("{}s", self.seconds)
    }
}

impl FromStr for TimeLimit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let unit = UNITS.iter().find_map(|(short, _, seconds)| Some((text.strip_suffix(short)?, seconds)));
        let seconds = unit.and_then(|(number, seconds)| number.parse::<u32>().ok().map(|n| u64::from(n) * seconds));
        match seconds {
            Some(seconds @ 1..) => Ok(Self { seconds }),
            _ => Err("it is no whole number above 0 with a unit, as in 90s, 10m or 1h".into()),
        }
    }
}

/// In words, in the largest unit that it is a whole number of.
impl fmt::Display for TimeLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = |(_, _, seconds): &&(&str, &str, u64)| self.seconds.is_multiple_of(*seconds);
        let (_, name, seconds) = UNITS.iter().find(whole).unwrap_or(&UNITS[2]);
        let count = self.seconds / seconds;
        write!(f, "{count} {name}{}", if count == 1 { "" } else { "s" })
    }
}

#[cfg(test)]
mod tests {
    use super::TimeLimit;

    #[test]
    fn is_typed_with_a_unit_and_told_in_words() {
        let told = |text: &str| text.parse::<TimeLimit>().map(|limit| limit.to_string());
        for (text, words) in [("10m", "10 minutes"), ("90s", "90 seconds"), ("1h", "1 hour"), ("120s", "2 minutes")] {
            assert_eq!(told(text).as_deref(), Ok(words));
        }
        for refused in ["", "10", "m", "0s", "-1m", "1.5h", "10 m", "5d"] {
            assert!(told(refused).is_err(), "{refused}");
        }
        assert_eq!(TimeLimit::from_ms(90_000).as_argument(), "90s");
    }
}
