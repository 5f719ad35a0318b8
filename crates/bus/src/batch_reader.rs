//! The reading end of the chain of oplog batches: in order, complete, or an error.

use std::time::Duration;

use async_nats::jetstream::consumer::pull;
use futures_util::StreamExt;
use mongoferry_protocol::{OplogBatch, Optime};

use crate::{Bus, BusError, StoredBatch, batch_fragments::BatchJoiner, topology};

/// Reads from a sequence on, without acknowledgements. Whatever happens to the connection, batches come in order and none
/// is left out: every message's sequence is checked, and after a gap reading starts again behind the last good one.
pub struct BatchReader {
    bus: Bus,
    messages: Option<pull::Stream>,
    joiner: BatchJoiner,
    /// Sequence of the next message; 0 takes whatever is the oldest.
    next_sequence: u64,
    last: Option<Optime>,
}

/// The server cuts a client off that has more than 64 MiB outstanding; far below that nothing is gained.
const PULL_BYTES: usize = 8 << 20;
const REOPEN_PAUSE: Duration = Duration::from_millis(200);

impl BatchReader {
    pub(crate) async fn open(bus: &Bus, sequence: u64) -> Result<Self, BusError> {
        let first = bus.oplog_stream().await?.cached_info().state.first_sequence;
        if sequence != 0 && first > sequence {
            return Err(BusError::BatchesGone { wanted: sequence, first });
        }
        let next_sequence = sequence.max(first).max(1);
        Ok(Self { bus: bus.clone(), messages: None, joiner: BatchJoiner::default(), next_sequence, last: None })
    }

    /// The next batch; waits for it as long as it takes. Cancel-safe.
    pub async fn next(&mut self) -> Result<StoredBatch<OplogBatch>, BusError> {
        loop {
            let Some(messages) = &mut self.messages else {
                self.reopen().await?;
                continue;
            };
            let message = match messages.next().await {
                Some(Ok(message)) => message,
                Some(Err(error)) => {
                    tracing::debug!(%error, "reading batches was interrupted; it starts again");
                    self.messages = None;
                    tokio::time::sleep(REOPEN_PAUSE).await;
                    continue;
                }
                None => {
                    self.messages = None;
                    continue;
                }
            };
            let sequence = message.info().map_err(|cause| BusError::failed("read a batch", cause))?.stream_sequence;
            if sequence != self.next_sequence {
                self.messages = None;
                continue;
            }
            self.next_sequence += 1;
            let (message, _) = message.split();
            if let Some((sequence, batch)) = self.joiner.take(sequence, message.headers.as_ref(), message.payload)? {
                self.check_chain(&batch)?;
                return Ok(StoredBatch { sequence, batch });
            }
        }
    }

    fn check_chain(&mut self, batch: &OplogBatch) -> Result<(), BusError> {
        if let Some(last) = self.last.replace(batch.last)
            && last != batch.previous
        {
            return Err(BusError::BrokenChain { expected: last.to_string(), found: batch.previous.to_string() });
        }
        Ok(())
    }

    async fn reopen(&mut self) -> Result<(), BusError> {
        let stream = self.bus.oplog_stream().await?;
        let first = stream.cached_info().state.first_sequence;
        if first > self.next_sequence {
            return Err(BusError::BatchesGone { wanted: self.next_sequence, first });
        }
        let failed =
            |cause: Box<dyn std::error::Error + Send + Sync>| BusError::failed("open a reader of batches", cause);
        let consumer = stream
            .create_consumer(topology::batch_consumer(self.next_sequence))
            .await
            .map_err(|cause| failed(cause.into()))?;
        let messages = consumer
            .stream()
            .max_bytes_per_batch(PULL_BYTES)
            .heartbeat(Duration::from_secs(3))
            .expires(Duration::from_secs(10))
            .messages()
            .await
            .map_err(|cause| failed(cause.into()))?;
        self.messages = Some(messages);
        Ok(())
    }
}
