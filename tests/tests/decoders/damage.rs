//! Damages bytes at random. The same seed damages in the same way.

use rand::{RngExt, SeedableRng, rngs::StdRng};

/// Bytes that say something where they stand: types, lengths, ends.
const TELLING: [u8; 12] = [0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x10, 0x11, 0x7F, 0x80, 0xFE, 0xFF];

pub struct Damage {
    rng: StdRng,
}

impl Damage {
    pub fn new(seed: u64) -> Self {
        Self { rng: StdRng::seed_from_u64(seed) }
    }

    /// One of `samples`, changed in up to eight places; some are given the length that they then have, as BSON has it in front.
    pub fn one_of(&mut self, samples: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = samples[self.rng.random_range(0..samples.len())].clone();
        for _ in 0..self.rng.random_range(1..=8) {
            self.change(&mut bytes, samples);
        }
        if self.rng.random_bool(0.5)
            && let Some(front) = bytes.len().checked_sub(4).and_then(|_| bytes.first_chunk::<4>().copied())
            && i32::from_le_bytes(front) > 0
        {
            let length = i32::try_from(bytes.len()).expect("short");
            bytes[..4].copy_from_slice(&length.to_le_bytes());
        }
        bytes
    }

    fn change(&mut self, bytes: &mut Vec<u8>, samples: &[Vec<u8>]) {
        if bytes.is_empty() {
            return;
        }
        let at = self.rng.random_range(0..bytes.len());
        match self.rng.random_range(0..20) {
            0..8 => bytes[at] = self.rng.random(),
            8..14 => bytes[at] = TELLING[self.rng.random_range(0..TELLING.len())],
            14 => bytes.truncate(at),
            15 | 16 => {
                let end = (at + self.rng.random_range(1..16)).min(bytes.len());
                bytes.drain(at..end);
            }
            17 | 18 => {
                let end = (at + self.rng.random_range(1..64)).min(bytes.len());
                let again = bytes[at..end].to_vec();
                bytes.splice(at..at, again);
            }
            _ => {
                let other = &samples[self.rng.random_range(0..samples.len())];
                let from = self.rng.random_range(0..other.len());
                bytes.truncate(at);
                bytes.extend_from_slice(&other[from..]);
            }
        }
    }
}
