//! What a migration is about to do, for the eyes of whoever lets it begin. Pure.

use mongoferry_protocol::{ClusterIdentity, DropTarget, ValidationReport};

use crate::amounts::{bytes_text, counted, duration_text};

/// From where to where, how much, and what will be dropped: each by name, however many there are.
pub fn review_text(report: &ValidationReport) -> String {
    let mut lines = vec![
        format!("source       {}", cluster_text(report.source.as_ref())),
        format!("destination  {}", cluster_text(report.destination.as_ref())),
        format!("to migrate   {}", amounts_text(report)),
    ];
    if let Some(inventory) = &report.inventory {
        let estimates = &inventory.estimates;
        let size = |bytes: Option<u64>| bytes.map_or("unknown".to_owned(), bytes_text);
        lines.push(format!(
            "estimates    copy about {}; disk needed: destination {}, bus {}",
            duration_text(std::time::Duration::from_secs(estimates.copy_seconds)),
            size(estimates.destination_disk_bytes),
            size(estimates.bus_disk_bytes)
        ));
    }
    if report.to_drop.is_empty() {
        lines.push("to drop      nothing".into());
    } else {
        let name = report.destination.as_ref().map_or("the destination", |cluster| cluster.replica_set.as_str());
        lines.push(format!("TO BE DROPPED from {name}, for good:"));
        lines.extend(report.to_drop.iter().map(drop_line));
    }
    lines.join("\n")
}

fn cluster_text(cluster: Option<&ClusterIdentity>) -> String {
    match cluster {
        Some(cluster) => {
            format!("{}, version {}: {}", cluster.replica_set, cluster.version, cluster.hosts.join(", "))
        }
        None => "not reached".into(),
    }
}

fn amounts_text(report: &ValidationReport) -> String {
    format!(
        "{} in {}, {} of data, {}",
        counted(report.documents, "document"),
        counted(report.collections, "collection"),
        bytes_text(report.bytes),
        counted(report.indexes, "index")
    )
}

fn drop_line(target: &DropTarget) -> String {
    match target.uuid {
        Some(_) => format!("  {}  {}", target.namespace, counted(target.documents, "document")),
        None => format!("  {}", target.namespace),
    }
}

#[cfg(test)]
mod tests {
    use mongoferry_protocol::{ClusterIdentity, CollectionUuid, DropTarget, Namespace, ValidationReport};

    use super::review_text;

    #[test]
    fn names_both_sides_and_everything_that_goes() {
        let cluster = |replica_set: &str, version: &str| ClusterIdentity {
            replica_set: replica_set.into(),
            replica_set_id: None,
            hosts: vec!["a:1".into(), "b:1".into()],
            version: version.into(),
        };
        let target = |collection, uuid, documents| DropTarget {
            namespace: Namespace::new("shop", collection),
            uuid,
            documents,
            disk_bytes: 0,
        };
        let report = ValidationReport {
            source: Some(cluster("rs0", "4.4.2")),
            destination: Some(cluster("rs1", "6.0.5")),
            to_drop: vec![target("orders", Some(CollectionUuid::from_bytes([1; 16])), 7), target("recent", None, 0)],
            collections: 2,
            ..ValidationReport::default()
        };
        let expected = "source       rs0, version 4.4.2: a:1, b:1\n\
            destination  rs1, version 6.0.5: a:1, b:1\n\
            to migrate   0 documents in 2 collections, 0 B of data, 0 indexes\n\
            TO BE DROPPED from rs1, for good:\n  shop.orders  7 documents\n  shop.recent";
        assert_eq!(review_text(&report), expected);
        let nothing = ValidationReport { to_drop: Vec::new(), ..report };
        assert!(review_text(&nothing).ends_with("to drop      nothing"));
    }
}
