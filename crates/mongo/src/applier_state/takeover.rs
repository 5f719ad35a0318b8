//! Becoming the one whose writes count: raising the term, and reading what stands.

use std::sync::Arc;

use bson::{Bson, Document, doc};
use futures_util::TryStreamExt;
use mongodb::{ClientSession, Collection};
use mongoferry_protocol::{Namespace, Optime};

use super::{
    ApplierState, ApplyError, CollectionMap,
    delta_form::{DeltaForm, delta_form},
    records::{self, CLAIM, CLAIM_ID, COLLECTIONS, LANES, MARKER, MARKER_ID},
};
use crate::{
    connection::Cluster,
    error::MongoError,
    lane_writer::{LaneWriter, SourceDocuments, transaction::transaction_session},
};

impl ApplierState {
    /// Ends every earlier term and begins a new one, with a writer for each of the `lanes`. Call it only as the holder of
    /// the applier's lease and after [`super::initialise`]. A destination that can't apply every update by itself needs the source.
    pub async fn take_over(
        cluster: &Cluster,
        lanes: u32,
        source: &Arc<SourceDocuments>,
    ) -> Result<(Self, Vec<LaneWriter>), ApplyError> {
        let delta_form = delta_form(cluster).await?;
        if delta_form != DeltaForm::Stage && !source.is_known() {
            return Err(ApplyError::SourceNeeded);
        }
        let before = read_all(cluster, LANES).await?;
        require_lanes(cluster, &before, lanes)?;
        end_sessions(cluster, &before).await;
        let term = 1 + before.iter().filter_map(|lane| lane.get_i64("term").ok()).max().unwrap_or(0);
        let mut writers = Vec::new();
        for lane in 0..lanes {
            writers.push(LaneWriter::open(cluster, source, lane, term).await?);
        }
        let session = transaction_session(cluster).await?;
        raise_term(cluster, term, &writers, &session).await?;
        let state = read_state(cluster, lanes, term, session).await?;
        Ok((Self { delta_form, ..state }, writers))
    }
}

/// Announces the sessions of the term as well: those of the lanes and the one for barriers.
async fn raise_term(
    cluster: &Cluster,
    term: i64,
    writers: &[LaneWriter],
    session: &ClientSession,
) -> Result<(), ApplyError> {
    let raise = |writer: &LaneWriter| {
        let sessions = [writer.session().id().clone(), session.id().clone()];
        doc! {
            "q": { "_id": i64::from(writer.lane()), "term": { "$lt": term } },
            "u": { "$set": { "term": term, "sessions": sessions.to_vec() } },
        }
    };
    let updates: Vec<Document> = writers.iter().map(raise).collect();
    let command = doc! { "update": LANES, "updates": updates, "writeConcern": { "w": "majority" } };
    if records::write(cluster, command).await? != writers.len() as i64 {
        return Err(ApplyError::StaleTerm { cluster: cluster.hosts_label().to_owned(), term });
    }
    Ok(())
}

/// A predecessor that was killed leaves its transactions open, and their locks on the lanes would last for a minute. The
/// attempt may be refused; then that minute passes.
async fn end_sessions(cluster: &Cluster, lanes: &[Document]) {
    let sessions: Vec<&Bson> = lanes.iter().filter_map(|lane| lane.get_array("sessions").ok()).flatten().collect();
    if sessions.is_empty() {
        return;
    }
    if let Err(error) = cluster.command("admin", doc! { "killSessions": sessions }).await {
        tracing::debug!(%error, "the sessions of the former applier were not ended");
    }
}

async fn read_state(
    cluster: &Cluster,
    lanes: u32,
    term: i64,
    session: ClientSession,
) -> Result<ApplierState, ApplyError> {
    let damaged = |detail: &str| ApplyError::RecordsDamaged {
        cluster: cluster.hosts_label().to_owned(),
        detail: detail.to_owned(),
    };
    let records = read_all(cluster, LANES).await?;
    require_lanes(cluster, &records, lanes)?;
    let checkpoints: Option<Vec<_>> = records.iter().map(records::lane_checkpoint).collect();
    let changes = records.iter().filter_map(|lane| lane.get_i64("changes").ok()).sum::<i64>();
    let collections = read_all(cluster, COLLECTIONS).await?;
    let collections: Option<CollectionMap> = collections.iter().map(records::collection).collect();
    let claim = super::find_one(cluster, CLAIM, CLAIM_ID).await?;
    let claim = claim.map(|record| records::claim(&record).ok_or_else(|| damaged("the claim is unreadable")));
    let marker = super::find_one(cluster, MARKER, MARKER_ID).await?;
    Ok(ApplierState {
        cluster: cluster.clone(),
        session,
        term,
        delta_form: DeltaForm::Stage,
        lanes: checkpoints.ok_or_else(|| damaged("a lane is unreadable"))?,
        changes: u64::try_from(changes).unwrap_or(0),
        collections: collections.ok_or_else(|| damaged("a collection is unreadable"))?,
        claim: claim.transpose()?,
        replay_until: marker.and_then(|marker| records::optime_field(&marker, "replay_until")).unwrap_or(Optime::ZERO),
    })
}

fn require_lanes(cluster: &Cluster, records: &[Document], lanes: u32) -> Result<(), ApplyError> {
    let numbers = records.iter().map(|lane| lane.get_i64("_id").unwrap_or(-1));
    if numbers.eq((0..lanes).map(i64::from)) {
        return Ok(());
    }
    Err(ApplyError::RecordsDamaged {
        cluster: cluster.hosts_label().to_owned(),
        detail: format!("{} lanes instead of {lanes}", records.len()),
    })
}

async fn read_all(cluster: &Cluster, name: &str) -> Result<Vec<Document>, MongoError> {
    let what = format!("find on {}.{name}", Namespace::OWN_DATABASE);
    let collection: Collection<Document> = cluster.database(Namespace::OWN_DATABASE).collection(name);
    let found = collection.find(doc! {}).sort(doc! { "_id": 1 }).await;
    let found = found.map_err(|error| cluster.explain(&what, &error))?;
    found.try_collect().await.map_err(|error| cluster.explain(&what, &error))
}
