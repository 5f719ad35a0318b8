//! MF-V17: collections that no migration takes along, each with the reason. Pure, but for the profiler's collections.

use bson::doc;
use futures_util::{StreamExt, stream};
use mongoferry_mongo::{CatalogListing, Cluster, CollectionInfo, refusal};
use mongoferry_protocol::Finding;

use crate::check::{Check, Trouble};

const LISTED: usize = 20;

/// Beside the kinds of MF-V18: the server's own collections in users' databases, the state of Queryable Encryption.
pub(crate) fn check(source: &CatalogListing, profiles: u64) -> Vec<Finding> {
    let check = Check::new("MF-V17", "source: collections that can't be migrated");
    let mut findings = Vec::new();
    let all = || source.collections.iter().chain(&source.time_series);
    let refused: Vec<String> = all()
        .filter_map(|info| Some(format!("{} {}", info.namespace, refusal(&info.options, &info.namespace)?)))
        .collect();
    if refused.is_empty() {
        let profiles = if profiles == 0 {
            String::new()
        } else {
            format!("; {profiles} of the profiler (system.profile) stay behind")
        };
        findings.push(check.passes(format!("none{profiles}")));
    } else {
        findings.push(check.fails(Trouble::new(
            listed(&refused),
            "They would arrive changed, or not at all; mongoferry skips nothing silently.",
            "Drop them on the source, or move their documents into plain collections, before the migration.",
        )));
    }
    let temporary: Vec<String> =
        all().filter(|info| is_temporary(info)).map(|info| info.namespace.to_string()).collect();
    if !temporary.is_empty() {
        findings.push(Check::new("MF-V17", "source: temporary collections").warns(Trouble::new(
            listed(&temporary),
            "An aggregation ($out) or a mapReduce is under way, or was broken off and left them; they would be copied \
             like any other, and stay.",
            "Wait for it to end. What stays behind can be dropped, or goes with the next election.",
        )));
    }
    findings
}

fn is_temporary(info: &CollectionInfo) -> bool {
    info.options.get_bool("temp").unwrap_or(false)
}

fn listed(all: &[String]) -> String {
    let first = all.iter().take(LISTED).cloned().collect::<Vec<_>>().join("; ");
    match all.len().saturating_sub(LISTED) {
        0 => first,
        more => format!("{first}; and {more} more"),
    }
}

/// How many databases have a profiler's collection.
pub(crate) async fn count_profiles(source: &Cluster, databases: &[String]) -> u64 {
    let asked = stream::iter(databases).map(|database| has_profile(source, database)).buffer_unordered(16);
    asked.filter(|has| std::future::ready(*has)).count().await as u64
}

async fn has_profile(source: &Cluster, database: &str) -> bool {
    let list = doc! {"listCollections": 1, "nameOnly": true, "filter": {"name": "system.profile"}};
    let reply = source.command(database, list).await.ok();
    let batch = reply.as_ref().and_then(|reply| reply.get_document("cursor").ok()?.get_array("firstBatch").ok());
    batch.is_some_and(|batch| !batch.is_empty())
}
