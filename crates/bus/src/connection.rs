//! The connection to the bus and the migration it is for.

use std::{path::PathBuf, time::Duration};

use async_nats::{Client, ConnectErrorKind, ConnectOptions, Event, jetstream};
use mongoferry_protocol::{MigrationId, OplogBatch, Queue, Reachability, WorkItem, encode};

use crate::{BatchPublisher, BatchReader, BusError, BusLimits, Records, StoredBatch, WorkQueue, key, topology};

/// Where the bus is and how to log in to it.
#[derive(Clone)]
pub struct BusOptions {
    /// `nats://host:port`, several separated by commas. Holds no secret.
    pub url: String,
    pub user: Option<String>,
    pub password: Option<String>,
    pub credentials_file: Option<PathBuf>,
    /// Copies of every stream in a NATS cluster.
    pub replicas: usize,
}

/// What the bus has stored of this migration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BusStorage {
    /// Bytes of oplog batches.
    pub oplog_bytes: u64,
    pub oplog_messages: u64,
    /// The most that oplog batches may take; absent if nobody has told.
    pub oplog_limit: Option<u64>,
}

/// One migration's part of a NATS server. Cheap to clone.
#[derive(Clone)]
pub struct Bus {
    pub(crate) client: Client,
    pub(crate) jetstream: jetstream::Context,
    pub(crate) id: MigrationId,
    records: Records,
    reachability: Reachability,
    publish_window: usize,
}

/// After two pings without an answer the connection counts as broken, and another is sought: a server that is cut off without a
/// word is noticed in time for leases to be renewed elsewhere.
const PING_EVERY: Duration = Duration::from_secs(2);
/// Publishes in flight; performance was flat from 4 to 64 and 16 hides slow disks.
const PUBLISH_WINDOW: usize = 16;

impl Bus {
    /// Connects and makes sure that the migration's streams exist. Fails at once if the bus does not answer; once
    /// connected, a lost connection is taken up again in the background for as long as it takes.
    pub async fn connect(options: &BusOptions, id: &MigrationId) -> Result<Self, BusError> {
        let reachability = Reachability::default();
        let client = connect_client(options, &reachability).await?;
        let jetstream = jetstream::context::ContextBuilder::new()
            .timeout(Duration::from_secs(10))
            .ack_timeout(Duration::from_secs(30))
            .max_ack_inflight(4 * PUBLISH_WINDOW)
            .build(client.clone());
        let account = jetstream.query_account().await.map_err(|cause| BusError::no_account(&options.url, cause))?;
        let limits = BusLimits::of(client.server_info().max_payload, &account);
        let records = ensure_topology(&jetstream, id, options.replicas, limits).await?;
        // The leader of a replicated stream knows the id of a message only once a majority has it, so there a message can't
        // name one that is still under way.
        let publish_window = if options.replicas > 1 { 1 } else { PUBLISH_WINDOW };
        Ok(Self { client, jetstream, id: id.clone(), records, reachability, publish_window })
    }

    pub fn migration(&self) -> &MigrationId {
        &self.id
    }

    pub fn reachability(&self) -> Reachability {
        self.reachability.clone()
    }

    pub fn records(&self) -> &Records {
        &self.records
    }

    /// Puts an item into its queue. Queued twice it does no harm, because whoever takes an item first looks at the records;
    /// the bus's own removal of duplicates is not used, since it would also drop an item that is queued again on purpose.
    pub async fn queue_work(&self, item: &WorkItem) -> Result<(), BusError> {
        let subject = topology::work_subject(&self.id, item.queue(), &item.id());
        let message = jetstream::message::PublishMessage::build().payload(encode(item)?.into());
        let ack = self.jetstream.send_publish(subject, message).await;
        ack.map_err(|cause| BusError::failed("queue work", cause))?
            .await
            .map_err(|cause| BusError::failed("queue work", cause))?;
        Ok(())
    }

    pub async fn work_queue(&self, queue: Queue) -> Result<WorkQueue, BusError> {
        WorkQueue::open(self, queue).await
    }

    /// The writing end of the chain of batches, and the last batch stored so far.
    pub async fn batch_publisher(&self) -> Result<(BatchPublisher, Option<StoredBatch<OplogBatch>>), BusError> {
        BatchPublisher::open(self, self.publish_window).await
    }

    /// The reading end, from the batch at `sequence` (0: the oldest there is).
    pub async fn batch_reader(&self, sequence: u64) -> Result<BatchReader, BusError> {
        BatchReader::open(self, sequence).await
    }

    /// Forgets all batches before `sequence`, which itself stays. Call only with what is applied for good.
    pub async fn purge_batches_before(&self, sequence: u64) -> Result<(), BusError> {
        let stream = self.oplog_stream().await?;
        stream.purge().sequence(sequence).await.map_err(|cause| BusError::failed("purge applied batches", cause))?;
        Ok(())
    }

    /// Forgets all batches. Only for a capture that nobody relies on yet, because its start point was never recorded.
    pub async fn purge_all_batches(&self) -> Result<(), BusError> {
        let stream = self.oplog_stream().await?;
        stream.purge().await.map_err(|cause| BusError::failed("purge unused batches", cause))?;
        Ok(())
    }

    pub async fn storage(&self) -> Result<BusStorage, BusError> {
        let stream = self.oplog_stream().await?;
        let info = stream.cached_info();
        let oplog_limit = u64::try_from(info.config.max_bytes).ok().filter(|limit| *limit > 0);
        Ok(BusStorage { oplog_bytes: info.state.bytes, oplog_messages: info.state.messages, oplog_limit })
    }

    /// Removes everything of this migration from the bus.
    pub async fn remove_migration(&self) -> Result<(), BusError> {
        for stream in [topology::oplog_stream_name(&self.id), topology::work_stream_name(&self.id)] {
            self.jetstream.delete_stream(stream).await.map_err(|cause| BusError::failed("remove a stream", cause))?;
        }
        let bucket = topology::bucket_name(&self.id);
        self.jetstream.delete_key_value(bucket).await.map_err(|cause| BusError::failed("remove the bucket", cause))?;
        Ok(())
    }

    pub(crate) async fn oplog_stream(&self) -> Result<jetstream::stream::Stream, BusError> {
        let name = topology::oplog_stream_name(&self.id);
        self.jetstream.get_stream(name).await.map_err(|cause| BusError::failed("open the stream of batches", cause))
    }

    /// Bytes a message may have, headers included.
    pub(crate) fn max_payload(&self) -> usize {
        self.client.server_info().max_payload
    }
}

pub(crate) async fn connect_client(options: &BusOptions, reachability: &Reachability) -> Result<Client, BusError> {
    let mut connect = ConnectOptions::new()
        .connection_timeout(Duration::from_secs(5))
        .ping_interval(PING_EVERY)
        .event_callback(note(reachability.clone()))
        .name("mongoferry");
    if let Some(path) = &options.credentials_file {
        connect = connect
            .credentials_file(path)
            .await
            .map_err(|cause| BusError::Credentials { path: path.display().to_string(), cause: cause.into() })?;
    }
    if let (Some(user), Some(password)) = (&options.user, &options.password) {
        connect = connect.user_and_password(user.clone(), password.clone());
    }
    let servers: Vec<&str> = options.url.split(',').collect();
    connect.connect(servers).await.map_err(|cause| match cause.kind() {
        ConnectErrorKind::Authentication | ConnectErrorKind::AuthorizationViolation => {
            BusError::Refused { url: options.url.clone() }
        }
        _ => BusError::Unreachable { url: options.url.clone(), cause: cause.into() },
    })
}

/// Keeps `reachability` up to date with the connection.
fn note(reachability: Reachability) -> impl Fn(Event) -> std::future::Ready<()> + Send + Sync + 'static {
    move |event| {
        match event {
            Event::Connected => reachability.found(),
            Event::Disconnected => reachability.lost("the connection broke"),
            Event::ClientError(error) if reachability.is_lost() => reachability.lost(error.to_string()),
            _ => {}
        }
        std::future::ready(())
    }
}

async fn ensure_topology(
    jetstream: &jetstream::Context,
    id: &MigrationId,
    replicas: usize,
    limits: BusLimits,
) -> Result<Records, BusError> {
    let bucket = match jetstream.get_key_value(topology::bucket_name(id)).await {
        Ok(bucket) => bucket,
        Err(_) => jetstream
            .create_key_value(topology::bucket(id, replicas))
            .await
            .map_err(|cause| BusError::failed("create the bucket", cause))?,
    };
    let records = Records::new(bucket, jetstream.client().server_info().max_payload);
    // Another version's migration is not to be touched, not even to tell of this failure.
    records.get(&key::phase()).await?;
    let batches = jetstream
        .get_or_create_stream(topology::oplog_stream(id, replicas, limits.oplog_bytes(0)))
        .await
        .map_err(|cause| BusError::failed("create the stream of batches", cause))?;
    let taken = batches.cached_info();
    // Somebody may have given the account more room.
    let room = limits.oplog_bytes(taken.state.bytes).and_then(|bytes| i64::try_from(bytes).ok());
    if let Some(room) = room.filter(|room| taken.config.max_bytes > 0 && *room > taken.config.max_bytes) {
        let config = async_nats::jetstream::stream::Config { max_bytes: room, ..taken.config.clone() };
        jetstream
            .update_stream(config)
            .await
            .map_err(|cause| BusError::failed("widen the stream of batches", cause))?;
    }
    let work = jetstream
        .get_or_create_stream(topology::work_stream(id, replicas))
        .await
        .map_err(|cause| BusError::failed("create the work queue", cause))?;
    for queue in Queue::ALL {
        let config = topology::work_consumer(id, queue);
        work.get_or_create_consumer(queue.role().as_str(), config)
            .await
            .map_err(|cause| BusError::failed("create a work consumer", cause))?;
    }
    Ok(records)
}
