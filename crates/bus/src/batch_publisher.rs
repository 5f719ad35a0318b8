//! The writing end of the chain of oplog batches.
//!
//! Publishes are pipelined, and each names the message it must follow, by sequence and by id: if one is refused, so are all
//! behind it, and no later, smaller batch can slip into a stream that is full. A second publisher is refused the same way.
//! The sequence alone would not do: after a foreign message has taken the place of our first, our second would follow it.
//! The id alone would not do either: a restarted server may have forgotten the last one. After any error the publisher is
//! to be opened anew: the stream then says what was stored.

use std::{collections::VecDeque, future::IntoFuture};

use async_nats::jetstream::{
    context::{PublishError, PublishErrorKind},
    message::{PublishMessage, StreamMessage},
    publish::PublishAck,
    stream::RawMessageErrorKind,
};
use futures_util::future::BoxFuture;
use mongoferry_protocol::{Durable, OplogBatch, Optime};

use crate::{
    Bus, BusError,
    batch_fragments::{self, BatchJoiner},
    topology,
};

/// A batch (or its last optime) and the sequence of its first message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredBatch<T> {
    pub sequence: u64,
    pub batch: T,
}

/// Appends batches; at most `window` messages are unconfirmed at a time.
pub struct BatchPublisher {
    bus: Bus,
    window: usize,
    /// Distinguishes the ids of this publisher's messages from those of any other.
    name: String,
    last_sequence: u64,
    /// The id of our last message; `None` before the first, which is confirmed before another one is sent.
    last_id: Option<String>,
    in_flight: VecDeque<InFlight>,
}

struct InFlight {
    ack: BoxFuture<'static, Result<PublishAck, PublishError>>,
    /// Set on the message that completes a batch.
    completes: Option<Optime>,
}

impl BatchPublisher {
    pub(crate) async fn open(bus: &Bus, window: usize) -> Result<(Self, Option<StoredBatch<OplogBatch>>), BusError> {
        let last_sequence = bus.oplog_stream().await?.cached_info().state.last_sequence;
        let last = last_batch(bus, last_sequence).await?;
        let name = uuid::Uuid::new_v4().simple().to_string();
        let in_flight = VecDeque::new();
        Ok((Self { bus: bus.clone(), window, name, last_sequence, last_id: None, in_flight }, last))
    }

    /// Sends a batch, waiting only while the window is full. Returns the newest optime confirmed on the way, if any.
    pub async fn publish(&mut self, batch: &OplogBatch) -> Result<Option<Durable<Optime>>, BusError> {
        let mut confirmed = None;
        let messages = batch_fragments::split(batch, self.bus.max_payload())?;
        let count = messages.len();
        for (number, message) in messages.into_iter().enumerate() {
            while self.in_flight.len() >= self.window {
                confirmed = self.confirm_oldest().await?.or(confirmed);
            }
            let completes = (number + 1 == count).then_some(batch.last);
            let is_first = self.last_id.is_none();
            self.send(message, completes).await?;
            if is_first {
                confirmed = self.confirm_all().await?.or(confirmed);
            }
        }
        Ok(confirmed)
    }

    async fn send(&mut self, message: PublishMessage, completes: Option<Optime>) -> Result<(), BusError> {
        let subject = topology::oplog_subject(&self.bus.id);
        let id = format!("{}.{}", self.name, self.last_sequence);
        let mut message = message.message_id(&id).expected_last_sequence(self.last_sequence);
        if let Some(last_id) = &self.last_id {
            message = message.expected_last_message_id(last_id);
        }
        let ack = self.bus.jetstream.send_publish(subject, message).await.map_err(refused)?;
        self.in_flight.push_back(InFlight { ack: ack.into_future(), completes });
        self.last_sequence += 1;
        self.last_id = Some(id);
        Ok(())
    }

    /// Something is sent and not confirmed yet.
    pub fn has_unconfirmed(&self) -> bool {
        !self.in_flight.is_empty()
    }

    /// Waits for the oldest unconfirmed message; returns the optime of the batch that it completes. Cancel-safe.
    pub async fn confirm_oldest(&mut self) -> Result<Option<Durable<Optime>>, BusError> {
        let Some(oldest) = self.in_flight.front_mut() else { return Ok(None) };
        let stored = (&mut oldest.ack).await;
        let completes = oldest.completes;
        self.in_flight.pop_front();
        stored.map_err(refused)?;
        Ok(completes.map(Durable::attest))
    }

    /// Waits until everything sent is stored.
    pub async fn confirm_all(&mut self) -> Result<Option<Durable<Optime>>, BusError> {
        let mut confirmed = None;
        while self.has_unconfirmed() {
            confirmed = self.confirm_oldest().await?.or(confirmed);
        }
        Ok(confirmed)
    }
}

fn refused(error: PublishError) -> BusError {
    match error.kind() {
        PublishErrorKind::WrongLastSequence | PublishErrorKind::WrongLastMessageId => BusError::AnotherPublisher,
        PublishErrorKind::Other if is_store_full(&error) => BusError::StoreFull { cause: error.into() },
        _ => BusError::failed("publish an oplog batch", error),
    }
}

/// nats-server answers a full stream with "maximum bytes exceeded" and a full store with "insufficient storage resources"
/// (error codes 10077 and 10047).
fn is_store_full(error: &PublishError) -> bool {
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        let text = error.to_string();
        if text.contains("maximum bytes exceeded") || text.contains("insufficient") || text.contains("no space left") {
            return true;
        }
        cause = error.source();
    }
    false
}

/// The last complete batch at or before `last_sequence`.
async fn last_batch(bus: &Bus, last_sequence: u64) -> Result<Option<StoredBatch<OplogBatch>>, BusError> {
    let mut tail = Vec::new();
    let mut sequence = last_sequence;
    while sequence > 0 {
        let Some(message) = stored_message(bus, sequence).await? else { return Ok(None) };
        let begins = batch_fragments::fragment_number(&message.headers).is_none_or(|number| number == 0);
        tail.push(message);
        if begins && let Some(found) = join(tail.drain(..).rev())? {
            return Ok(Some(found));
        }
        sequence -= 1;
    }
    Ok(None)
}

async fn stored_message(bus: &Bus, sequence: u64) -> Result<Option<StreamMessage>, BusError> {
    match bus.oplog_stream().await?.get_raw_message(sequence).await {
        Ok(message) => Ok(Some(message)),
        Err(error) if error.kind() == RawMessageErrorKind::NoMessageFound => Ok(None),
        Err(error) => Err(BusError::failed("read the last batch", error)),
    }
}

fn join(messages: impl Iterator<Item = StreamMessage>) -> Result<Option<StoredBatch<OplogBatch>>, BusError> {
    let mut joiner = BatchJoiner::default();
    let mut found = None;
    for message in messages {
        let joined = joiner.take(message.sequence, Some(&message.headers), message.payload)?;
        found = joined.map(|(sequence, batch)| StoredBatch { sequence, batch });
    }
    Ok(found)
}
