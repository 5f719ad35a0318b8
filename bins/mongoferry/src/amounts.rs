//! Bytes, counts and durations as people read them.

use std::time::Duration;

/// `512 B`, `1.5 MiB`, `280 MiB`.
pub fn bytes_text(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut amount = bytes as f64 / 1024.0;
    let mut unit = 0;
    // 1023.95 would be shown as 1024.0.
    while amount >= 1023.5 && unit + 1 < UNITS.len() {
        amount /= 1024.0;
        unit += 1;
    }
    let digits = if amount < 9.95 { 1 } else { 0 };
    format!("{amount:.digits$} {}", UNITS[unit])
}

/// `1,234,567`.
pub fn count_text(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 document`, `1,200 documents`, `2 indexes`, `3 entries`.
pub fn counted(count: u64, noun: &str) -> String {
    let number = count_text(count);
    match noun.strip_suffix('y') {
        _ if count == 1 => format!("{number} {noun}"),
        Some(stem) => format!("{number} {stem}ies"),
        None if noun.ends_with('x') => format!("{number} {noun}es"),
        None => format!("{number} {noun}s"),
    }
}

/// `2026-11-30 04:05:06 UTC`.
pub fn time_text(ms_since_1970: u64) -> String {
    let (days, seconds) = (ms_since_1970 / 86_400_000, ms_since_1970 / 1_000 % 86_400);
    let (year, month, day) = date(days);
    let (hour, minute) = (seconds / 3_600, seconds / 60 % 60);
    format!("{year}-{month:02}-{day:02} {hour:02}:{minute:02}:{:02} UTC", seconds % 60)
}

/// Counted in years from March on, so that a leap day is the last of its year.
fn date(days_since_1970: u64) -> (u64, u64, u64) {
    // From the first of March of the year 0; a cycle of the calendar has 400 years.
    let days = days_since_1970 + 719_468;
    let (cycle, of_cycle) = (days / 146_097, days % 146_097);
    let year = (of_cycle - of_cycle / 1_460 + of_cycle / 36_524 - of_cycle / 146_096) / 365;
    let of_year = of_cycle - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (cycle * 400 + year + u64::from(month <= 2), month, day)
}

/// `850 ms`, `4.2 s`, `42 s`, `3 min 05 s`, `2 h 07 min`.
pub fn duration_text(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match duration.as_millis() {
        0..1_000 => format!("{} ms", duration.as_millis()),
        1_000..9_950 => format!("{:.1} s", duration.as_secs_f64()),
        9_950..60_000 => format!("{} s", duration.as_secs_f64().round()),
        60_000..3_600_000 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} min", seconds / 3600, seconds % 3600 / 60),
    }
}

pub fn ms_text(milliseconds: u64) -> String {
    duration_text(Duration::from_millis(milliseconds))
}

/// Whole percent, rounded down, so that 100 means all. An empty whole is complete.
pub fn percent(part: u64, whole: u64) -> u64 {
    if whole == 0 { 100 } else { (u128::from(part.min(whole)) * 100 / u128::from(whole)) as u64 }
}

#[cfg(test)]
mod tests {
    use super::{bytes_text, count_text, counted, ms_text, percent, time_text};

    #[test]
    fn times() {
        for (seconds, text) in [
            (0, "1970-01-01 00:00:00 UTC"),
            (951_782_399, "2000-02-28 23:59:59 UTC"),
            (951_782_400, "2000-02-29 00:00:00 UTC"),
            (1_735_689_599, "2024-12-31 23:59:59 UTC"),
            (4_107_542_400, "2100-03-01 00:00:00 UTC"),
        ] {
            assert_eq!(time_text(seconds * 1_000 + 999), text);
        }
    }

    #[test]
    fn bytes() {
        for (bytes, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1536, "1.5 KiB"),
            (120 << 20, "120 MiB"),
            (1 << 30, "1.0 GiB"),
            (1_048_575, "1.0 MiB"),
        ] {
            assert_eq!(bytes_text(bytes), text, "{bytes}");
        }
    }

    #[test]
    fn counts() {
        for (count, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(count_text(count), text);
        }
        for (count, noun, text) in [
            (1, "index", "1 index"),
            (2, "index", "2 indexes"),
            (0, "oplog entry", "0 oplog entries"),
            (1000, "document", "1,000 documents"),
        ] {
            assert_eq!(counted(count, noun), text);
        }
    }

    #[test]
    fn durations() {
        for (ms, text) in [
            (0, "0 ms"),
            (999, "999 ms"),
            (4_200, "4.2 s"),
            (9_960, "10 s"),
            (42_000, "42 s"),
            (185_000, "3 min 05 s"),
            (7_620_000, "2 h 07 min"),
        ] {
            assert_eq!(ms_text(ms), text, "{ms}");
        }
    }

    #[test]
    fn percent_reaches_100_only_with_all() {
        for (part, whole, shown) in [(0, 0, 100), (999, 1000, 99), (1000, 1000, 100), (5, 4, 100), (0, 7, 0)] {
            assert_eq!(percent(part, whole), shown);
        }
    }
}
