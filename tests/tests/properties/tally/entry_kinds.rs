//! What kinds an oplog entry counts for, by the server's own words; shares nothing with the product's decoder.

use std::collections::BTreeSet;

use bson::{RawBsonRef, RawDocument};

use super::diff_kinds::diff_kinds;

/// May be several, some of them the same: a transaction counts for each of its members.
pub fn kinds(entry: &RawDocument) -> Vec<String> {
    let mut kinds = Vec::new();
    operation(entry, &mut kinds);
    let has = |name| matches!(entry.get(name), Ok(Some(_)));
    for name in ["needsRetryImage", "preImageOpTime", "postImageOpTime"] {
        if has(name) {
            kinds.push(format!("entry with {name}"));
        }
    }
    kinds
}

fn operation(entry: &RawDocument, kinds: &mut Vec<String>) {
    let (Ok(op), Ok(ns), Ok(o)) = (entry.get_str("op"), entry.get_str("ns"), entry.get_document("o")) else { return };
    let (database, collection) = ns.split_once('.').unwrap_or((ns, ""));
    if op == "n" {
        let image = !collection.is_empty() && matches!(o.get("_id"), Ok(Some(_)));
        kinds.push(if image { "no-op with an image of a document" } else { "no-op" }.to_owned());
    } else if ["admin", "config", "local"].contains(&database) && collection != "$cmd" {
        kinds.push("entry on an internal database".to_owned());
    } else if op == "c" {
        command(entry, o, kinds);
    } else {
        write(entry, op, collection, o, kinds);
    }
}

fn write(entry: &RawDocument, op: &str, collection: &str, o: &RawDocument, kinds: &mut Vec<String>) {
    let what = match op {
        "i" => "insert",
        "d" => "delete",
        _ => "update",
    };
    if let Some(special) = special_collection(collection) {
        kinds.push(format!("{what} in {special}"));
    }
    if matches!(entry.get("fromMigrate"), Ok(Some(RawBsonRef::Boolean(true)))) {
        kinds.push(format!("{what}, fromMigrate"));
    }
    match (op, o.get_i32("$v"), o.get("_id")) {
        ("u", Ok(version), Ok(None)) => {
            kinds.push(format!("update $v:{version}"));
            if let Ok(diff) = o.get_document("diff") {
                diff_kinds(diff, kinds);
            }
        }
        ("u", ..) => {
            kinds.push("update, replacement".to_owned());
            types(o, kinds);
        }
        ("i", ..) => {
            kinds.push("insert".to_owned());
            types(o, kinds);
        }
        _ => kinds.push(what.to_owned()),
    }
}

fn special_collection(collection: &str) -> Option<&'static str> {
    match collection {
        "system.views" => Some("system.views"),
        "system.js" => Some("system.js"),
        _ if collection.starts_with("system.buckets.") => Some("system.buckets"),
        _ => None,
    }
}

/// The type of the `_id`, and every type in the document once.
fn types(document: &RawDocument, kinds: &mut Vec<String>) {
    let mut names = BTreeSet::new();
    let mut found = BTreeSet::new();
    for (name, value) in document.iter().flatten() {
        if !names.insert(name.as_str().to_owned()) {
            kinds.push("document with duplicate names".to_owned());
        }
        if name.as_str() == "_id" {
            kinds.push(format!("_id of type {:?}", value.element_type()));
        }
        value_types(value, &mut found);
    }
    kinds.extend(found.into_iter().map(|kind| format!("value of type {kind}")));
}

fn value_types(value: RawBsonRef<'_>, found: &mut BTreeSet<String>) {
    found.insert(format!("{:?}", value.element_type()));
    match value {
        RawBsonRef::Document(document) => {
            document.iter().flatten().for_each(|(_, value)| value_types(value, found));
        }
        RawBsonRef::Array(array) => array.into_iter().flatten().for_each(|value| value_types(value, found)),
        _ => {}
    }
}

fn command(entry: &RawDocument, o: &RawDocument, kinds: &mut Vec<String>) {
    let Some(Ok((name, first))) = o.iter().next() else { return };
    let (name, collection) = (name.as_str(), first.as_str().unwrap_or_default());
    let has = |name: &str| matches!(o.get(name), Ok(Some(_)));
    match name {
        "applyOps" => transaction(entry, o, kinds),
        "create" => {
            kinds.push(name.to_owned());
            let options = ["capped", "timeseries", "clusteredIndex", "collation", "validator", "temp"];
            let further = ["storageEngine", "changeStreamPreAndPostImages", "viewOn"];
            kinds.extend(
                options.iter().chain(&further).filter(|option| has(option)).map(|option| format!("create, {option}")),
            );
            kinds.extend(temporary(collection).map(|purpose| format!("create, for {purpose}")));
        }
        "renameCollection" => {
            kinds.push(if has("dropTarget") { "renameCollection, dropTarget" } else { name }.to_owned());
        }
        "collMod" => coll_mod(o, kinds),
        _ => kinds.push(name.to_owned()),
    }
}

/// What the server needs a collection of such a name for.
fn temporary(collection: &str) -> Option<&'static str> {
    let purposes = [
        ("tmp.agg_out", "$out or mapReduce"),
        ("tmp.mr.", "mapReduce"),
        (".renameCollection", "a rename across databases"),
        (".convertToCapped", "convertToCapped"),
    ];
    purposes.into_iter().find(|(part, _)| collection.contains(part)).map(|(_, purpose)| purpose)
}

fn coll_mod(o: &RawDocument, kinds: &mut Vec<String>) {
    for (name, value) in o.iter().flatten().skip(1) {
        match (name.as_str(), value.as_document()) {
            ("index", Some(index)) => {
                let options =
                    index.iter().flatten().map(|(option, _)| option.as_str()).filter(|option| *option != "name");
                kinds.extend(options.map(|option| format!("collMod of an index's {option}")));
            }
            (option, _) => kinds.push(format!("collMod of {option}")),
        }
    }
}

fn transaction(entry: &RawDocument, o: &RawDocument, kinds: &mut Vec<String>) {
    let is_set = |name| matches!(o.get(name), Ok(Some(RawBsonRef::Boolean(true))));
    let previous = entry.get_document("prevOpTime").and_then(|previous| previous.get_timestamp("ts"));
    let kind = match previous {
        _ if is_set("partialTxn") => "transaction, part of a chain",
        _ if is_set("prepare") => "transaction, prepared",
        Ok(previous) if previous.time > 0 => "transaction, end of a chain",
        _ => "transaction",
    };
    kinds.push(kind.to_owned());
    let Ok(members) = o.get_array("applyOps") else { return };
    for member in members.into_iter().flatten().filter_map(RawBsonRef::as_document) {
        if member.get_str("op").is_ok_and(|op| op == "c") {
            kinds.push("catalog change in a transaction".to_owned());
        }
        operation(member, kinds);
    }
}
