//! Single values, drawn from a random state that the caller owns.

use std::ops::Range;

use bson::{Binary, DateTime, Decimal128, RawArrayBuf, RawDocumentBuf, oid::ObjectId, rawdoc, spec::BinarySubtype};
use rand::{Rng, RngExt, rngs::StdRng};

use super::words::{CITIES, FIRST_NAMES, LAST_NAMES, WORDS};

/// 2026-01-01T00:00:00Z; everything in the data set happened in the two years before.
const NOW_MS: i64 = 1_767_225_600_000;
const TWO_YEARS_MS: i64 = 2 * 365 * 24 * 3_600_000;

pub(super) fn one_of<T: Copy>(rng: &mut StdRng, choices: &[T]) -> T {
    choices[rng.random_range(0..choices.len())]
}

/// Grows with `index` as an application's ObjectIds grow with time; `kind` tells collections apart.
pub(super) fn object_id(kind: u8, index: u64) -> ObjectId {
    let seconds = (NOW_MS / 1000) as u32 - 60_000_000 + (index / 10) as u32;
    let mut bytes = [kind; 12];
    bytes[..4].copy_from_slice(&seconds.to_be_bytes());
    bytes[6..].copy_from_slice(&index.to_be_bytes()[2..]);
    ObjectId::from_bytes(bytes)
}

pub(super) fn uuid(rng: &mut StdRng) -> Binary {
    Binary { subtype: BinarySubtype::Uuid, bytes: random_bytes(rng, 16) }
}

pub(super) fn random_bytes(rng: &mut StdRng, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    rng.fill_bytes(&mut bytes);
    bytes
}

/// Words separated by blanks.
pub(super) fn text(rng: &mut StdRng, words: usize) -> String {
    let mut text = String::with_capacity(words * 8);
    for _ in 0..words {
        text.push_str(one_of(rng, &WORDS));
        text.push(' ');
    }
    text.pop();
    text
}

pub(super) fn some_text(rng: &mut StdRng, words: Range<usize>) -> String {
    let words = rng.random_range(words);
    text(rng, words)
}

pub(super) fn some_strings(rng: &mut StdRng, count: Range<usize>) -> RawArrayBuf {
    (0..rng.random_range(count)).map(|_| one_of(rng, &WORDS)).collect()
}

pub(super) fn past(rng: &mut StdRng) -> DateTime {
    DateTime::from_millis(NOW_MS - rng.random_range(0..TWO_YEARS_MS))
}

/// Years ahead of any test run.
pub(super) fn far_future(rng: &mut StdRng) -> DateTime {
    DateTime::from_millis(NOW_MS + 20 * TWO_YEARS_MS + rng.random_range(0..TWO_YEARS_MS))
}

pub(super) fn price(rng: &mut StdRng) -> Decimal128 {
    decimal(rng.random_range(50..50_000), 2)
}

/// `coefficient / 10^digits` in the layout of IEEE 754-2008's binary encoding, which is much quicker than parsing.
fn decimal(coefficient: u64, digits: u64) -> Decimal128 {
    const EXPONENT_BIAS: u64 = 6176;
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&coefficient.to_le_bytes());
    bytes[8..].copy_from_slice(&((EXPONENT_BIAS - digits) << 49).to_le_bytes());
    Decimal128::from_bytes(bytes)
}

pub(super) fn person(rng: &mut StdRng) -> (&'static str, &'static str) {
    (one_of(rng, &FIRST_NAMES), one_of(rng, &LAST_NAMES))
}

pub(super) fn address(rng: &mut StdRng) -> RawDocumentBuf {
    let (country, city, _, _) = one_of(rng, &CITIES);
    rawdoc! {
        "street": format!("{} {}", one_of(rng, &WORDS), rng.random_range(1..200)),
        "city": city,
        "postcode": format!("{:05}", rng.random_range(1000..99_999)),
        "country": country,
    }
}

/// A GeoJSON point in or near a city.
pub(super) fn place(rng: &mut StdRng) -> RawDocumentBuf {
    let (_, _, longitude, latitude) = one_of(rng, &CITIES);
    let coordinates: RawArrayBuf =
        [longitude + rng.random_range(-0.2..0.2), latitude + rng.random_range(-0.2..0.2)].into_iter().collect();
    rawdoc! { "type": "Point", "coordinates": coordinates }
}

#[cfg(test)]
mod tests {
    #[test]
    fn decimals_are_what_they_say() {
        assert_eq!(super::decimal(12_345, 2), "123.45".parse().expect("a decimal"));
    }
}
