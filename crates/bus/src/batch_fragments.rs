//! A batch as one message, or as several if it is larger than a message may be.

use async_nats::{HeaderMap, jetstream::message::PublishMessage};
use mongoferry_protocol::{OplogBatch, decode, encode};

use crate::BusError;

/// `<number>/<count>`, from 0, on each message of a batch that needed several.
const FRAGMENT: &str = "Mongoferry-Fragment";
/// Headers and slack within `max_payload`.
const HEADER_BYTES: usize = 4096;

/// The payloads to publish for `batch`, in order, each with its headers.
pub fn split(batch: &OplogBatch, max_payload: usize) -> Result<Vec<PublishMessage>, BusError> {
    let bytes = encode(batch)?;
    let limit = max_payload.saturating_sub(HEADER_BYTES).max(1024);
    if bytes.len() <= limit {
        return Ok(vec![PublishMessage::build().payload(bytes.into())]);
    }
    let count = bytes.len().div_ceil(limit);
    let bytes = bytes::Bytes::from(bytes);
    let fragment = |number: usize| {
        let payload = bytes.slice(number * limit..bytes.len().min((number + 1) * limit));
        PublishMessage::build().payload(payload).header(FRAGMENT, format!("{number}/{count}").as_str())
    };
    Ok((0..count).map(fragment).collect())
}

/// Puts fragments together again. A publisher that died within a batch leaves a head without an end; the next batch's
/// beginning makes it forgotten.
#[derive(Default)]
pub struct BatchJoiner {
    first_sequence: u64,
    count: usize,
    parts: Vec<bytes::Bytes>,
}

impl BatchJoiner {
    /// The batch that is complete with this message, and the sequence of its first message.
    pub(crate) fn take(
        &mut self,
        sequence: u64,
        headers: Option<&HeaderMap>,
        payload: bytes::Bytes,
    ) -> Result<Option<(u64, OplogBatch)>, BusError> {
        self.join(sequence, headers.and_then(fragment_header), payload)
    }

    /// As for a message with this text in its header. Nothing in it is believed.
    pub fn join(
        &mut self,
        sequence: u64,
        fragment: Option<&str>,
        payload: bytes::Bytes,
    ) -> Result<Option<(u64, OplogBatch)>, BusError> {
        let Some((number, count)) = fragment.and_then(fragment_of) else {
            self.parts.clear();
            return Ok(Some((sequence, decode(&payload)?)));
        };
        if number == 0 {
            *self = Self { first_sequence: sequence, count, parts: Vec::new() };
        }
        if number != self.parts.len() || count != self.count {
            // The tail of a batch whose beginning lies before the point where reading began.
            self.parts.clear();
            return Ok(None);
        }
        self.parts.push(payload);
        if self.parts.len() < self.count {
            return Ok(None);
        }
        let whole = std::mem::take(&mut self.parts).concat();
        Ok(Some((self.first_sequence, decode(&whole)?)))
    }
}

fn fragment_header(headers: &HeaderMap) -> Option<&str> {
    headers.get(FRAGMENT).map(|value| value.as_str())
}

fn fragment_of(header: &str) -> Option<(usize, usize)> {
    let (number, count) = header.split_once('/')?;
    Some((number.parse().ok()?, count.parse().ok()?))
}

/// The message is part of a batch that needed several; then the number of the fragment.
pub fn fragment_number(headers: &HeaderMap) -> Option<usize> {
    fragment_header(headers).and_then(fragment_of).map(|(number, _)| number)
}

#[cfg(test)]
mod tests {
    use super::{BatchJoiner, split};
    use mongoferry_protocol::{OplogBatch, Optime};

    fn batch(bytes: usize) -> OplogBatch {
        OplogBatch {
            previous: Optime::ZERO,
            first: Optime::new(1, 1),
            last: Optime::new(1, 2),
            last_wall_ms: 0,
            last_change: Optime::ZERO,
            entry_count: 2,
            raw_bytes: bytes as u32,
            entries: (0..bytes).map(|i| i as u8).collect(),
            progress: None,
        }
    }

    fn feed(joiner: &mut BatchJoiner, first: u64, batch: &OplogBatch, only: usize) -> Option<(u64, OplogBatch)> {
        let mut joined = None;
        for (i, part) in split(batch, 8192).expect("splits").into_iter().take(only).enumerate() {
            let message = part.outbound_message("s");
            joined = joiner.take(first + i as u64, message.headers.as_ref(), message.payload).expect("joins");
        }
        joined
    }

    #[test]
    fn what_was_split_is_joined_whole() {
        for bytes in [0, 10, 4096, 5000, 50_000] {
            let joined = feed(&mut BatchJoiner::default(), 7, &batch(bytes), usize::MAX);
            assert_eq!(joined, Some((7, batch(bytes))), "{bytes}");
        }
    }

    #[test]
    fn a_count_that_no_batch_has_takes_no_memory() {
        let mut joiner = BatchJoiner::default();
        let header = format!("0/{}", usize::MAX);
        assert_eq!(joiner.join(1, Some(&header), vec![1].into()).expect("joins"), None);
        assert_eq!(joiner.join(2, Some("0/0"), vec![1].into()).ok().flatten(), None);
    }

    #[test]
    fn a_head_without_an_end_is_forgotten() {
        let mut joiner = BatchJoiner::default();
        assert_eq!(feed(&mut joiner, 1, &batch(50_000), 3), None);
        assert_eq!(feed(&mut joiner, 4, &batch(9_000), usize::MAX), Some((4, batch(9_000))));
        assert_eq!(feed(&mut joiner, 9, &batch(50_000), 2), None);
        assert_eq!(feed(&mut joiner, 11, &batch(10), usize::MAX), Some((11, batch(10))));
    }
}
