//! What a catalog change of the source means for the destination. Pure.
//!
//! Collections are known by their UUIDs. The map may be ahead of the oplog: what was renamed, dropped or created between the
//! start point and the listing stands under its later name already. So a name is taken from whoever holds it at the moment
//! the source gives it to a collection: a collection that is in the way has not got that name yet, and waits under a
//! name of its own until the oplog tells where it belongs.

use bson::{RawDocument, RawDocumentBuf, raw::cstr, rawdoc};
use mongoferry_mongo::{CollectionMap, DdlPlan, DdlStep, MapChange, MappedCollection, is_old_index, write_order};
use mongoferry_oplog::Ddl;
use mongoferry_protocol::{CollectionUuid, Namespace};
use serde_bytes::ByteBuf;

/// The steps, not resolved yet, and what they do to the map. May be empty.
pub fn plan_barrier(ddl: &Ddl, map: &CollectionMap) -> DdlPlan {
    let mut plan = DdlPlan { kind: kind(ddl).to_owned(), ..DdlPlan::default() };
    match ddl {
        Ddl::Create { uuid, namespace, options, id_index } => {
            if let Some(series) = namespace.time_series() {
                // No server renames a time-series collection, so one whose name is taken is going to be dropped.
                if map.holder_of(namespace).is_some_and(|holder| holder != *uuid) {
                    return plan;
                }
                vacate(&mut plan, map, &series, *uuid);
            }
            let place = place(map, namespace, *uuid);
            vacate(&mut plan, map, &place, *uuid);
            match map.get(*uuid) {
                Some(mapped) => move_to(&mut plan, *uuid, mapped, &place),
                None => {
                    let order = write_order(options);
                    let options = ByteBuf::from(with_old_index(options, id_index.as_deref()).into_bytes());
                    plan.steps.push(DdlStep::Create { namespace: place.clone(), options });
                    plan.map_changes.push(MapChange::Set(*uuid, MappedCollection { namespace: place, order }));
                }
            }
        }
        Ddl::Drop { uuid, .. } => drop_collection(&mut plan, map, *uuid),
        // Each of its collections had a drop of its own.
        Ddl::DropDatabase { .. } => {}
        Ddl::Rename { uuid, to, drop_target, .. } => {
            let target = drop_target.filter(|target| target != uuid);
            if let Some(target) = target {
                drop_collection(&mut plan, map, target);
            }
            if let Some(mapped) = map.get(*uuid) {
                let place = place(map, to, *uuid);
                if map.holder_of(&place) != target {
                    vacate(&mut plan, map, &place, *uuid);
                }
                move_to(&mut plan, *uuid, mapped, &place);
            }
        }
        Ddl::CreateIndexes { uuid, specs, .. } => on_collection(&mut plan, map, *uuid, |namespace| {
            let specs = specs.iter().map(|spec| ByteBuf::from(spec.as_bytes())).collect();
            DdlStep::CreateIndexes { namespace, uuid: None, specs }
        }),
        Ddl::DropIndex { uuid, name, .. } => on_collection(&mut plan, map, *uuid, |namespace| DdlStep::DropIndex {
            namespace,
            uuid: None,
            name: name.clone(),
        }),
        // What a collMod does to an index is left to the finalization, which takes over the source's last value.
        Ddl::CollMod { uuid, options, .. } if options.iter().next().is_some() => {
            on_collection(&mut plan, map, *uuid, |namespace| DdlStep::CollMod {
                namespace,
                uuid: None,
                options: ByteBuf::from(options.as_bytes()),
            });
        }
        Ddl::CollMod { .. } => {}
    }
    plan
}

/// The index on `_id` is made by every server in the present version, unless `create` says otherwise. An entry without one is
/// of a client's `applyOps`, and the server then made one of version 1 (4.4.2, 5.0.4 and 6.0.5).
fn with_old_index(options: &RawDocument, id_index: Option<&RawDocument>) -> RawDocumentBuf {
    let mut options = options.to_owned();
    let made_otherwise = ["clusteredIndex", "timeseries", "collation"];
    match id_index {
        Some(index) if is_old_index(index) => options.append(cstr!("idIndex"), index.to_owned()),
        None if !made_otherwise.iter().any(|option| matches!(options.get(option), Ok(Some(_)))) => {
            options.append(cstr!("idIndex"), rawdoc! {"v": 1, "key": {"_id": 1}, "name": "_id_"});
        }
        Some(_) | None => {}
    }
    options
}

fn kind(ddl: &Ddl) -> &'static str {
    match ddl {
        Ddl::Create { .. } => "create",
        Ddl::Drop { .. } => "drop",
        Ddl::DropDatabase { .. } => "dropDatabase",
        Ddl::Rename { .. } => "renameCollection",
        Ddl::CreateIndexes { .. } => "createIndexes",
        Ddl::DropIndex { .. } => "dropIndexes",
        Ddl::CollMod { .. } => "collMod",
    }
}

fn drop_collection(plan: &mut DdlPlan, map: &CollectionMap, uuid: CollectionUuid) {
    on_collection(plan, map, uuid, |namespace| DdlStep::Drop { namespace, uuid: None });
    if map.get(uuid).is_some() {
        plan.map_changes.push(MapChange::Remove(uuid));
    }
}

/// Where a collection goes that the source calls `namespace`. A time-series collection of that name has not got it yet, but
/// can't be moved aside: then the newcomer waits, until the oplog tells where it goes.
fn place(map: &CollectionMap, namespace: &Namespace, uuid: CollectionUuid) -> Namespace {
    match map.holder_of(&namespace.buckets()) {
        Some(_) => waiting(namespace, uuid),
        None => namespace.before_cutover(),
    }
}

fn waiting(namespace: &Namespace, uuid: CollectionUuid) -> Namespace {
    Namespace::new(namespace.database(), format!("mongoferry.waiting.{uuid}"))
}

/// Moves whoever but `newcomer` stands under `namespace` out of the way.
fn vacate(plan: &mut DdlPlan, map: &CollectionMap, namespace: &Namespace, newcomer: CollectionUuid) {
    if let Some(holder) = map.holder_of(namespace).filter(|holder| *holder != newcomer)
        && let Some(mapped) = map.get(holder)
    {
        move_to(plan, holder, mapped, &waiting(namespace, holder));
    }
}

fn move_to(plan: &mut DdlPlan, uuid: CollectionUuid, mapped: &MappedCollection, to: &Namespace) {
    if mapped.namespace != *to {
        plan.steps.push(DdlStep::Rename { from: mapped.namespace.clone(), to: to.clone(), uuid: None });
        plan.map_changes.push(MapChange::Set(uuid, MappedCollection { namespace: to.clone(), order: mapped.order }));
    }
}

fn on_collection(
    plan: &mut DdlPlan,
    map: &CollectionMap,
    uuid: CollectionUuid,
    step: impl FnOnce(Namespace) -> DdlStep,
) {
    plan.steps.extend(map.namespace(uuid).map(|namespace| step(namespace.clone())));
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use bson::{RawDocumentBuf, rawdoc};
    use mongoferry_mongo::{CollectionMap, DdlStep, MappedCollection};
    use mongoferry_oplog::Ddl;
    use mongoferry_protocol::{CollectionUuid, Namespace, WriteOrder};

    use super::plan_barrier;

    fn uuid(number: u8) -> CollectionUuid {
        CollectionUuid::from_bytes([number; 16])
    }

    fn id_index(version: i32) -> RawDocumentBuf {
        rawdoc! {"v": version, "key": {"_id": 1}, "name": "_id_"}
    }

    fn ns(name: &str) -> Namespace {
        Namespace::new("db", name)
    }

    fn plain(name: &str) -> MappedCollection {
        MappedCollection { namespace: ns(name), order: WriteOrder::ByDocument }
    }

    fn create(number: u8, name: &str) -> Ddl {
        Ddl::Create {
            uuid: uuid(number),
            namespace: ns(name),
            options: RawDocumentBuf::new(),
            id_index: Some(id_index(2)),
        }
    }

    fn drop_of(number: u8) -> Ddl {
        Ddl::Drop { uuid: uuid(number), namespace: ns("whatever") }
    }

    fn rename(number: u8, from: &str, to: &str, target: Option<u8>) -> Ddl {
        Ddl::Rename { uuid: uuid(number), from: ns(from), to: ns(to), drop_target: target.map(uuid) }
    }

    /// A destination by its names; whose documents stand there is told by the UUID. Panics where a server would refuse.
    struct Destination {
        map: CollectionMap,
        names: BTreeMap<String, CollectionUuid>,
    }

    impl Destination {
        fn listed(collections: &[(u8, &str)]) -> Self {
            let pairs = || collections.iter().map(|(number, name)| (uuid(*number), *name));
            Self {
                map: pairs().map(|(uuid, name)| (uuid, plain(name))).collect(),
                names: pairs().map(|(uuid, name)| (name.to_owned(), uuid)).collect(),
            }
        }

        fn apply(&mut self, ddl: &Ddl) {
            let plan = plan_barrier(ddl, &self.map);
            for step in &plan.steps {
                match step {
                    DdlStep::Create { namespace, .. } => {
                        let Ddl::Create { uuid, .. } = ddl else { panic!("{step:?} for {ddl:?}") };
                        assert_eq!(self.names.insert(namespace.collection().to_owned(), *uuid), None, "{ddl:?}");
                    }
                    DdlStep::Drop { namespace, .. } => {
                        self.names.remove(namespace.collection()).expect("stands");
                    }
                    DdlStep::Rename { from, to, .. } => {
                        let moved = self.names.remove(from.collection()).expect("stands");
                        assert_eq!(self.names.insert(to.collection().to_owned(), moved), None, "{ddl:?}");
                    }
                    other => panic!("{other:?}"),
                }
            }
            plan.map_changes.iter().for_each(|change| self.map.apply(change));
            for (name, uuid) in &self.names {
                assert_eq!(self.map.get(*uuid), Some(&plain(name)), "after {ddl:?}");
                assert!(!self.names.contains_key(ns(name).buckets().collection()), "{name} twice after {ddl:?}");
            }
        }
    }

    #[test]
    fn a_listing_made_at_any_time_leads_to_the_same_end() {
        // Names change hands several times over; collection 4 lives only for a while.
        let history = [
            rename(1, "a", "t", None),
            rename(2, "b", "a", None),
            rename(1, "t", "b", None),
            create(3, "c"),
            create(4, "d"),
            rename(3, "c", "d2", None),
            rename(4, "d", "c", None),
            rename(3, "d2", "d", None),
            rename(4, "c", "d", Some(3)),
            create(5, "c"),
            drop_of(4),
            rename(5, "c", "d", None),
            rename(2, "a", "c", None),
            rename(1, "b", "a", None),
            // A name that belongs to plain collections and to time-series collections in turn.
            create(6, "m"),
            rename(6, "m", "n", None),
            create(7, "system.buckets.m"),
            drop_of(7),
            create(8, "system.buckets.m"),
            drop_of(8),
            rename(6, "n", "m", None),
            rename(6, "m", "o", None),
            create(9, "system.buckets.m"),
        ];
        let mut truth = Destination::listed(&[(1, "a"), (2, "b")]);
        let mut listings = vec![truth.names.clone()];
        for ddl in &history {
            truth.apply(ddl);
            listings.push(truth.names.clone());
        }
        let expected: Vec<(&str, CollectionUuid)> =
            vec![("a", uuid(1)), ("c", uuid(2)), ("d", uuid(5)), ("o", uuid(6)), ("system.buckets.m", uuid(9))];
        assert_eq!(truth.names.iter().map(|(name, uuid)| (name.as_str(), *uuid)).collect::<Vec<_>>(), expected);
        for (time, listing) in listings.into_iter().enumerate() {
            let map = listing.iter().map(|(name, uuid)| (*uuid, plain(name))).collect();
            let mut replayed = Destination { map, names: listing };
            history.iter().for_each(|ddl| replayed.apply(ddl));
            assert_eq!(replayed.names, truth.names, "listed after {time} changes");
        }
    }

    #[test]
    fn a_name_that_another_gets_later_is_made_free() {
        // Listed at the end of what happened.
        let mut destination = Destination::listed(&[(1, "g"), (2, "f")]);
        for ddl in [rename(1, "e", "f", None), rename(1, "f", "g", None), create(2, "f")] {
            destination.apply(&ddl);
        }
        let expected = [("f".to_owned(), uuid(2)), ("g".to_owned(), uuid(1))];
        assert_eq!(destination.names, expected.into_iter().collect());
    }

    #[test]
    fn system_js_stands_under_another_name() {
        let plan = plan_barrier(&create(1, "system.js"), &CollectionMap::default());
        let [DdlStep::Create { namespace, .. }] = plan.steps.as_slice() else { panic!("{plan:?}") };
        assert_eq!(*namespace, ns("system.js").before_cutover());
    }

    #[test]
    fn what_concerns_no_known_collection_comes_to_nothing() {
        let map = CollectionMap::default();
        let specs = vec![rawdoc! {"key": {"a": 1}}];
        for ddl in [
            drop_of(9),
            rename(9, "a", "b", Some(8)),
            Ddl::CreateIndexes { uuid: uuid(9), namespace: ns("a"), specs },
            Ddl::DropIndex { uuid: uuid(9), namespace: ns("a"), name: "i".into() },
            Ddl::DropDatabase { database: "db".into() },
        ] {
            let plan = plan_barrier(&ddl, &map);
            assert!(plan.steps.is_empty() && plan.map_changes.is_empty(), "{ddl:?}");
        }
    }

    #[test]
    fn a_coll_mod_of_an_index_alone_is_left_to_the_finalization() {
        let map: CollectionMap = [(uuid(1), plain("a"))].into_iter().collect();
        let index = Some(rawdoc! {"name": "i", "hidden": true});
        let ddl =
            Ddl::CollMod { uuid: uuid(1), namespace: ns("a"), options: RawDocumentBuf::new(), index: index.clone() };
        assert!(plan_barrier(&ddl, &map).steps.is_empty());
        let options = rawdoc! {"validationLevel": "off"};
        let ddl = Ddl::CollMod { uuid: uuid(1), namespace: ns("a"), options, index };
        assert_eq!(plan_barrier(&ddl, &map).steps.len(), 1);
    }

    #[test]
    fn an_old_index_on_the_id_stays_old() {
        let clustered = rawdoc! {"clusteredIndex": {"key": {"_id": 1}, "unique": true}};
        for (options, index, expected) in [
            (RawDocumentBuf::new(), Some(id_index(2)), RawDocumentBuf::new()),
            (RawDocumentBuf::new(), Some(id_index(1)), rawdoc! {"idIndex": id_index(1)}),
            (RawDocumentBuf::new(), None, rawdoc! {"idIndex": id_index(1)}),
            (clustered.clone(), None, clustered),
        ] {
            assert_eq!(super::with_old_index(&options, index.as_deref()), expected);
        }
    }
}
