//! Work items: taken by one process at a time, given to another when that one falls silent.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_nats::jetstream::{
    AckKind, Message,
    consumer::{PullConsumer, pull::Batch},
    message::Acker,
};
use futures_util::StreamExt;
use mongoferry_protocol::{Queue, WorkItem, decode};
use tokio::{task::JoinHandle, time::Instant};

use crate::{Bus, BusError, SuspendedClock, topology};

/// The reading end of one queue.
pub struct WorkQueue {
    consumer: PullConsumer,
    /// A request under way. It outlives the call that made it: an item that arrives after the caller has turned away would
    /// otherwise be with nobody until the bus takes it back.
    request: tokio::sync::Mutex<Option<Batch>>,
}

/// An item in hand. It is kept alive in the background until it is finished or given back, or its holder hangs; dropped, it goes
/// to somebody else after a while.
pub struct WorkTicket {
    pub item: WorkItem,
    acker: Arc<Acker>,
    hold: Arc<Hold>,
    keep_alive: JoinHandle<()>,
}

struct Hold {
    lost: AtomicBool,
    confirmed: Mutex<SuspendedClock>,
    /// When the item is let go unless its holder gets on before.
    progress_due: Mutex<Option<Instant>>,
}

const KEEP_ALIVE: Duration = Duration::from_secs(2);
/// Less than the bus waits before it gives the item to another, by the time that a suspended process would not notice.
const HELD_FOR: Duration = Duration::from_secs(14);
/// After the hold, and before the bus gives the item to another.
const COMMAND_ENDS_WITHIN: Duration = Duration::from_secs(5);
const TAKE_WAIT: Duration = Duration::from_secs(2);

impl WorkQueue {
    pub(crate) async fn open(bus: &Bus, queue: Queue) -> Result<Self, BusError> {
        let stream = topology::work_stream_name(&bus.id);
        let consumer = bus.jetstream.get_consumer_from_stream(queue.role().as_str(), stream).await;
        Ok(Self {
            consumer: consumer.map_err(|cause| BusError::failed("open a work queue", cause))?,
            request: tokio::sync::Mutex::new(None),
        })
    }

    /// Takes the next item; `None` if there was none for two seconds. Cancel-safe.
    pub async fn take(&self) -> Result<Option<WorkTicket>, BusError> {
        let mut request = self.request.lock().await;
        let batch = match &mut *request {
            Some(batch) => batch,
            none => {
                let batch = self.consumer.batch().max_messages(1).expires(TAKE_WAIT).messages().await;
                none.insert(batch.map_err(|cause| BusError::failed("take work", cause))?)
            }
        };
        let message = batch.next().await;
        *request = None;
        match message {
            Some(Ok(message)) => WorkTicket::new(message).map(Some),
            Some(Err(cause)) => Err(BusError::failed("take work", cause)),
            None => Ok(None),
        }
    }
}

impl WorkTicket {
    fn new(message: Message) -> Result<Self, BusError> {
        let item = decode(&message.payload)?;
        let (_, acker) = message.split();
        let acker = Arc::new(acker);
        let hold = Arc::new(Hold {
            lost: AtomicBool::new(false),
            confirmed: Mutex::new(SuspendedClock::now()),
            progress_due: Mutex::new(None),
        });
        let keep_alive = tokio::spawn(keep_alive(acker.clone(), hold.clone()));
        Ok(Self { item, acker, hold, keep_alive })
    }

    /// Nobody else can have been given the item. Ask right before each write.
    pub fn still_held(&self) -> bool {
        !self.hold.lost.load(Ordering::Acquire) && self.hold.is_confirmed()
    }

    /// How long a command that is sent now may take: somebody else gets the item only later than that. Zero if it can't be sent.
    pub fn time_for_a_command(&self) -> Duration {
        if !self.still_held() {
            return Duration::ZERO;
        }
        let confirmed = *self.hold.confirmed.lock().expect("no panic while the hold is locked");
        HELD_FOR.saturating_sub(confirmed.elapsed()) + COMMAND_ENDS_WITHIN
    }

    /// The most that [`Self::time_for_a_command`] gives.
    pub fn longest_command(&self) -> Duration {
        HELD_FOR + COMMAND_ENDS_WITHIN
    }

    /// Something was achieved, and the next will be within `limit`; otherwise the work hangs, and the item goes to somebody else.
    /// `None` where it may take any time.
    pub fn expect_progress_within(&self, limit: Option<Duration>) {
        let due = limit.map(|limit| Instant::now() + limit);
        *self.hold.progress_due.lock().expect("no panic while the hold is locked") = due;
    }

    /// The item is done and its result durable: nobody gets it again.
    pub async fn finish(self) -> Result<(), BusError> {
        self.keep_alive.abort();
        self.acker.double_ack_with(AckKind::Ack).await.map_err(|cause| BusError::failed("finish work", cause))
    }

    /// Somebody (perhaps this process) takes it again after `delay`.
    pub async fn give_back(self, delay: Duration) -> Result<(), BusError> {
        self.keep_alive.abort();
        let nak = self.acker.ack_with(AckKind::Nak(Some(delay))).await;
        nak.map_err(|cause| BusError::failed("give work back", cause))
    }
}

impl Drop for WorkTicket {
    fn drop(&mut self) {
        self.keep_alive.abort();
    }
}

impl Hold {
    fn is_confirmed(&self) -> bool {
        self.confirmed.lock().expect("no panic while the hold is locked").elapsed() < HELD_FOR
    }

    fn hangs(&self) -> bool {
        let due = *self.progress_due.lock().expect("no panic while the hold is locked");
        due.is_some_and(|due| Instant::now() > due)
    }
}

async fn keep_alive(acker: Arc<Acker>, hold: Arc<Hold>) {
    loop {
        tokio::time::sleep(KEEP_ALIVE).await;
        let asked = SuspendedClock::now();
        if !hold.is_confirmed() || hold.hangs() {
            // Once it may have gone to another, a late confirmation must not revive the hold.
            hold.lost.store(true, Ordering::Release);
            return;
        }
        if acker.double_ack_with(AckKind::Progress).await.is_ok() {
            *hold.confirmed.lock().expect("no panic while the hold is locked") = asked;
        }
    }
}
