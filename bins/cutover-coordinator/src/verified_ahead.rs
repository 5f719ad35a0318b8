//! What the verifier's record of its work ahead of the cutover comes down to. Pure.

use mongoferry_protocol::{AheadState, FailureStatus, Retry, Role, VerifiedAhead, VerifiedAheadView};

pub fn view(record: &VerifiedAhead) -> VerifiedAheadView {
    let mut view = VerifiedAheadView {
        compared_again: record.compared_again,
        suspects: record.suspects.len() as u64,
        differing_count: record.differing_count,
        differing: record.differing.clone(),
        foreign_writes: record.foreign_writes,
        ..VerifiedAheadView::default()
    };
    for collection in &record.collections {
        if matches!(collection.state, AheadState::AtCutover | AheadState::Overrun) {
            view.collections_at_cutover += 1;
            view.bytes_at_cutover += collection.bytes_total;
            continue;
        }
        view.collections_total += 1;
        view.documents += collection.documents;
        view.bytes += collection.bytes;
        // The totals are the server's own counts, and as old as the listing.
        view.documents_total += collection.documents_total.max(collection.documents);
        view.bytes_total += collection.bytes_total.max(collection.bytes);
        match collection.state {
            AheadState::Done => view.collections += 1,
            _ => view.bytes_at_cutover += collection.bytes_total,
        }
    }
    view
}

/// What an operator should know before the cutover finds it.
pub fn warnings(record: &VerifiedAhead) -> Vec<FailureStatus> {
    let mut warnings = Vec::new();
    if let (count @ 1.., Some(last)) = (record.foreign_writes, &record.last_foreign_write) {
        warnings.push(warning(
            "MF-VERIFY-3",
            format!("somebody else writes on the destination: {count} writes, the last to {} at {}", last.namespace, last.optime),
            "Stop whoever does it. The documents concerned are compared again; what differs is named, and stops the cutover.",
            record.started_at_ms,
        ));
    }
    if let (count @ 1.., Some(first)) = (record.differing_count, record.differing.first()) {
        let item = first.item.as_deref().unwrap_or_default();
        warnings.push(warning(
            "MF-VERIFY-4",
            format!(
                "{count} documents differ between the two sides, the first {item} of {}: {}",
                first.namespace, first.detail
            ),
            "Look who wrote on the destination, then run `mongoferry verify --repair`: it copies just these documents again. A cutover would \
             be stopped by them before its point of no return.",
            record.started_at_ms,
        ));
    }
    let overrun: Vec<_> = record.collections.iter().filter(|one| one.state == AheadState::Overrun).collect();
    if let Some(first) = overrun.first() {
        warnings.push(warning(
            "MF-VERIFY-11",
            format!("too much differs to go on comparing ahead in {} collections, the first {}", overrun.len(), first.namespace),
            "Look who wrote on the destination, then run `mongoferry verify --repair`: it compares them as a whole. A cutover would be \
             stopped by them before its point of no return.",
            record.started_at_ms,
        ));
    }
    warnings
}

fn warning(code: &str, message: String, hint: &str, at_ms: u64) -> FailureStatus {
    FailureStatus {
        code: code.into(),
        message,
        hint: hint.into(),
        role: Role::Verifier.to_string(),
        instance: String::new(),
        causes: Vec::new(),
        retry: Retry::AfterFix,
        at_ms,
    }
}

#[cfg(test)]
mod tests {
    use mongoferry_protocol::{
        AheadCollection, AheadState, CollectionUuid, ForeignWrite, Namespace, Optime, VerifiedAhead,
    };

    use super::{view, warnings};

    fn collection(number: u8, state: AheadState, bytes: u64) -> AheadCollection {
        AheadCollection {
            namespace: Namespace::new("shop", "orders"),
            database_on_destination: "shop".into(),
            on_source: CollectionUuid::from_bytes([number; 16]),
            on_destination: CollectionUuid::from_bytes([number; 16]),
            state,
            lower: None,
            documents: bytes / 10,
            bytes,
            documents_total: 10,
            bytes_total: 100,
        }
    }

    #[test]
    fn what_is_left_for_the_cutover_is_counted() {
        let collections = vec![
            collection(1, AheadState::Done, 110),
            collection(2, AheadState::Comparing, 50),
            collection(3, AheadState::AtCutover, 0),
        ];
        let view = view(&VerifiedAhead { collections, ..VerifiedAhead::default() });
        assert_eq!((view.collections, view.collections_total, view.collections_at_cutover), (1, 2, 1));
        assert_eq!((view.bytes, view.bytes_total, view.bytes_at_cutover), (160, 210, 200));
    }

    #[test]
    fn writes_of_others_are_a_warning() {
        assert!(warnings(&VerifiedAhead::default()).is_empty());
        let last = ForeignWrite { namespace: "shop.orders".into(), optime: Optime::new(7, 1) };
        let record = VerifiedAhead { foreign_writes: 2, last_foreign_write: Some(last), ..VerifiedAhead::default() };
        let told = warnings(&record);
        assert_eq!(told.len(), 1);
        assert!(told[0].message.contains("2 writes, the last to shop.orders at 7:1"), "{}", told[0].message);
    }
}
