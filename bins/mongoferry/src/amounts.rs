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
    use super::{bytes_text, count_text, counted, ms_text, percent};

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
