//! What the bus holds in several parts: records, and batches whose messages come in any order. The first byte says how many
//! messages the rest is cut into; each begins with the length of its header.

use mongoferry_bus::{BatchJoiner, StoredValue};

pub fn stored_values(bytes: &[u8]) {
    let _ = StoredValue::read(bytes).map_err(|error| error.to_string());
    let Some((&count, mut rest)) = bytes.split_first() else { return };
    let mut joiner = BatchJoiner::default();
    for sequence in 1..=u64::from(count) {
        let Some((&length, tail)) = rest.split_first() else { return };
        let (header, tail) = tail.split_at(tail.len().min(length.into()));
        let (payload, tail) = tail.split_at(tail.len() / (usize::from(count) + 1 - sequence as usize));
        let _ = joiner.join(sequence, std::str::from_utf8(header).ok(), payload.to_vec().into());
        rest = tail;
    }
}
