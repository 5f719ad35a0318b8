//! Plans one collection: creates it on the destination and draws its ranges, once.

use bson::RawDocument;
use mongoferry_bus::{WorkTicket, key};
use mongoferry_mongo::{MongoError, create_collection, draw_ranges, write_order};
use mongoferry_protocol::{CollectionPlan, CollectionUuid, RangePlan, WorkItem, WriteOrder};

use crate::{copier::Copier, copier_error::CopierError};

/// The plan that stands is the plan: another copier may have drawn it, and ranges of it may be copied already. Queueing a
/// range again does no harm.
pub async fn plan_collection(
    copier: &Copier,
    ticket: &WorkTicket,
    collection: CollectionUuid,
) -> Result<(), CopierError> {
    let bus = &copier.stage.bus;
    let plan = bus.records().get(&key::collection(collection)).await?;
    let plan = plan.ok_or(CopierError::NoPlan { collection })?.value;
    copier.stage.set_activity(format!("planning {}", plan.namespace));
    let ranges = match bus.records().get(&key::range_plan(collection)).await? {
        Some(standing) => standing.value,
        None => draw_once(copier, ticket, &plan).await?,
    };
    for range in &ranges.ranges {
        bus.queue_work(&WorkItem::CopyRange { collection, number: range.number }).await?;
    }
    tracing::info!(namespace = %plan.namespace, ranges = ranges.ranges.len(), "planned");
    Ok(())
}

async fn draw_once(copier: &Copier, ticket: &WorkTicket, plan: &CollectionPlan) -> Result<RangePlan, CopierError> {
    let drawn = mongoferry_stage::retry(&copier.stage, "planning a collection", || draw(copier, ticket, plan)).await?;
    let records = copier.stage.bus.records();
    let key = key::range_plan(plan.uuid);
    if records.create(&key, &drawn).await?.is_some() {
        return Ok(drawn);
    }
    let standing = records.get(&key).await?.ok_or(CopierError::NoPlan { collection: plan.uuid })?;
    Ok(standing.value)
}

async fn draw(copier: &Copier, ticket: &WorkTicket, plan: &CollectionPlan) -> Result<RangePlan, CopierError> {
    let options = RawDocument::from_bytes(&plan.options).map_err(|_| CopierError::NoPlan { collection: plan.uuid })?;
    let version = copier.source_version;
    let range_bytes = match write_order(options) {
        WriteOrder::Whole => u64::MAX,
        // 5.0 knows no way to read buckets by `_id` (2, BadValue: the hint corresponds to no index).
        _ if plan.namespace.time_series().is_some() && !version.is_at_least(6, 0) => u64::MAX,
        _ => copier.range_bytes,
    };
    let ranges = draw_ranges(&copier.source, version, plan.uuid, &plan.namespace, plan.size_bytes, range_bytes).await;
    let ranges = match ranges {
        // Dropped since it was listed: nothing to copy, and its oplog entries tell the rest.
        Err(MongoError::CollectionGone { .. }) => RangePlan { ranges: Vec::new() },
        drawn => drawn?,
    };
    if !ticket.still_held() {
        return Err(CopierError::RangeLost { collection: plan.uuid, number: 0 });
    }
    let namespace = plan.namespace.before_cutover();
    create_collection(&copier.destination, copier.destination_version, &namespace, options).await?;
    Ok(ranges)
}
