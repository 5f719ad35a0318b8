//! Every stream, bucket and consumer of a migration. All names carry the migration's id; removing these removes it all.
//!
//! | what                 | name                    | subjects                      | kept                              |
//! |----------------------|-------------------------|-------------------------------|-----------------------------------|
//! | records (KV)         | `mongoferry-<id>`       | `$KV.mongoferry-<id>.>`       | last value of each key            |
//! | work queues          | `mongoferry-<id>-work`  | `mongoferry.<id>.work.<role>.<item>` | until acknowledged; one durable consumer a role |
//! | oplog batches        | `mongoferry-<id>-oplog` | `mongoferry.<id>.oplog`       | until purged behind the applier; refuses when full |
//! | heartbeats           | (not stored)            | `mongoferry.<id>.heartbeat`   |                                   |

use std::time::Duration;

use async_nats::jetstream::{consumer, kv, stream};
use mongoferry_protocol::{MigrationId, Queue};

/// How long a worker may be silent before its item is given to another.
pub const WORK_ACK_WAIT: Duration = Duration::from_secs(20);

pub fn bucket_name(id: &MigrationId) -> String {
    format!("mongoferry-{id}")
}

pub fn work_stream_name(id: &MigrationId) -> String {
    format!("mongoferry-{id}-work")
}

pub fn oplog_stream_name(id: &MigrationId) -> String {
    format!("mongoferry-{id}-oplog")
}

pub fn oplog_subject(id: &MigrationId) -> String {
    format!("mongoferry.{id}.oplog")
}

pub fn heartbeat_subject(id: &MigrationId) -> String {
    format!("mongoferry.{id}.heartbeat")
}

pub fn work_subject(id: &MigrationId, queue: Queue, item: &str) -> String {
    format!("mongoferry.{id}.work.{}.{item}", queue.role())
}

pub fn bucket(id: &MigrationId, replicas: usize) -> kv::Config {
    kv::Config { bucket: bucket_name(id), history: 1, num_replicas: replicas, ..Default::default() }
}

pub fn work_stream(id: &MigrationId, replicas: usize) -> stream::Config {
    stream::Config {
        name: work_stream_name(id),
        subjects: vec![format!("mongoferry.{id}.work.>")],
        retention: stream::RetentionPolicy::WorkQueue,
        storage: stream::StorageType::File,
        num_replicas: replicas,
        ..Default::default()
    }
}

pub fn work_consumer(id: &MigrationId, queue: Queue) -> consumer::pull::Config {
    consumer::pull::Config {
        durable_name: Some(queue.role().to_string()),
        filter_subject: work_subject(id, queue, ">"),
        ack_policy: consumer::AckPolicy::Explicit,
        ack_wait: WORK_ACK_WAIT,
        max_deliver: -1,
        max_ack_pending: 10_000,
        ..Default::default()
    }
}

/// Limits retention, because acknowledged-away batches would take the oplog-tailer's own resume point with them; discard
/// new, because a stream that makes room by dropping its oldest batch loses changes.
pub fn oplog_stream(id: &MigrationId, replicas: usize, max_bytes: Option<u64>) -> stream::Config {
    stream::Config {
        name: oplog_stream_name(id),
        subjects: vec![oplog_subject(id)],
        retention: stream::RetentionPolicy::Limits,
        discard: stream::DiscardPolicy::New,
        max_bytes: max_bytes.and_then(|bytes| bytes.try_into().ok()).unwrap_or(-1),
        storage: stream::StorageType::File,
        num_replicas: replicas,
        ..Default::default()
    }
}

/// An ephemeral reader from `sequence` on, without acknowledgements: the checkpoint is with the data, not with the consumer.
pub fn batch_consumer(sequence: u64) -> consumer::pull::Config {
    consumer::pull::Config {
        deliver_policy: consumer::DeliverPolicy::ByStartSequence { start_sequence: sequence },
        ack_policy: consumer::AckPolicy::None,
        inactive_threshold: Duration::from_secs(60),
        memory_storage: true,
        num_replicas: 1,
        ..Default::default()
    }
}
