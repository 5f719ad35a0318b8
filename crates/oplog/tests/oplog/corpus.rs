//! Entries that servers of four versions wrote, decoded, against what is expected of each (`corpus/<version>.expected`; run
//! with UPDATE=1 to write these files anew, then read the difference).

use std::{collections::HashMap, fmt::Write as _, fs, path::PathBuf};

use bson::{Document, RawDocumentBuf};
use mongoferry_oplog::{
    BatchBuilder, Change, ChangeKind, Ddl, EntryDecoder, OplogEntry, OplogError, Relevance, open_batch, relevance,
};
use mongoferry_protocol::{ChangePosition, Explain, Optime, Retry, StartPoint};

const VERSIONS: [&str; 4] = ["4.2.6", "4.4.2", "5.0.4", "6.0.5"];
const FROM_THE_BEGINNING: StartPoint = StartPoint { capture_from: Optime::ZERO, apply_after: Optime::ZERO };

#[derive(serde::Deserialize)]
struct Line {
    seq: u32,
    op_name: String,
    n: u32,
    entry: Document,
}

fn path(version: &str, extension: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/corpus/{version}.{extension}"))
}

fn lines(version: &str) -> Vec<(Line, RawDocumentBuf)> {
    let text = fs::read_to_string(path(version, "jsonl")).expect("the corpus is beside this test");
    text.lines()
        .map(|line| {
            let line: Line = serde_json::from_str(line).expect("a line of the corpus");
            let raw = RawDocumentBuf::try_from(&line.entry).expect("a BSON document");
            (line, raw)
        })
        .collect()
}

fn described(decoded: &Result<Vec<Change>, OplogError>) -> String {
    match decoded {
        Ok(changes) if changes.is_empty() => "nothing".into(),
        Ok(changes) => changes
            .iter()
            .map(|change| format!("{}:{}", change.position.index, kind(change)))
            .collect::<Vec<_>>()
            .join(" "),
        Err(OplogError::Unsupported { reason, namespace, .. }) => format!("unsupported on {namespace}: {reason}"),
        Err(error) => error.code().into(),
    }
}

fn kind(change: &Change) -> String {
    match &change.kind {
        ChangeKind::Insert { .. } => "insert".into(),
        ChangeKind::Replace { .. } => "replace".into(),
        ChangeKind::Delta { delta, .. } => format!("delta-{}", delta.get_i32("$v").expect("an int32")),
        ChangeKind::Delete { .. } => "delete".into(),
        ChangeKind::Ddl(ddl) => described_ddl(ddl),
    }
}

fn described_ddl(ddl: &Ddl) -> String {
    match ddl {
        Ddl::Create { namespace, options, id_index, .. } => {
            format!("create({namespace} {} id-index={})", fields(options), id_index.is_some())
        }
        Ddl::Drop { namespace, .. } => format!("drop({namespace})"),
        Ddl::DropDatabase { database } => format!("drop-database({database})"),
        Ddl::Rename { from, to, drop_target, .. } => format!("rename({from} {to} drop={})", drop_target.is_some()),
        Ddl::CreateIndexes { namespace, specs, .. } => {
            let names: Vec<_> = specs.iter().map(|spec| spec.get_str("name").expect("a name")).collect();
            format!("create-indexes({namespace} {})", names.join(","))
        }
        Ddl::DropIndex { namespace, name, .. } => format!("drop-index({namespace} {name})"),
        Ddl::CollMod { namespace, options, index, .. } => {
            format!(
                "coll-mod({namespace} {} index={})",
                fields(options),
                index.as_ref().map(fields).unwrap_or_default()
            )
        }
    }
}

fn fields(document: &RawDocumentBuf) -> String {
    document.iter().map(|field| field.expect("well formed").0.to_string()).collect::<Vec<_>>().join(",")
}

#[test]
fn every_entry_decodes_to_what_is_expected() {
    for version in VERSIONS {
        let mut decoder = EntryDecoder::new(FROM_THE_BEGINNING);
        let mut actual = String::new();
        for (line, raw) in lines(version) {
            let kept = match relevance(&OplogEntry::parse(&raw).expect("an envelope")) {
                Relevance::Drop => "drop".into(),
                Relevance::Keep => "keep".into(),
                Relevance::Change { namespace } => format!("change {}", namespace.as_deref().unwrap_or("?")),
            };
            let decoded = described(&decoder.decode(&raw));
            writeln!(actual, "{} {} {} | {kept} | {decoded}", line.seq, line.op_name, line.n).expect("into a string");
        }
        if std::env::var_os("UPDATE").is_some() {
            fs::write(path(version, "expected"), &actual).expect("writable");
        }
        let expected = fs::read_to_string(path(version, "expected")).expect("the expectations are beside this test");
        for (actual, expected) in actual.lines().zip(expected.lines()) {
            assert_eq!(actual, expected, "{version}");
        }
        assert_eq!(actual.lines().count(), expected.lines().count(), "{version}");
        assert_eq!(decoder.oldest_open(), None, "{version}: every transaction of the corpus ends");
    }
}

#[test]
fn what_is_dropped_has_no_effect() {
    for version in VERSIONS {
        let mut decoder = EntryDecoder::new(FROM_THE_BEGINNING);
        for (line, raw) in lines(version) {
            let decoded = decoder.decode(&raw);
            if relevance(&OplogEntry::parse(&raw).expect("an envelope")) == Relevance::Drop {
                assert_eq!(described(&decoded), "nothing", "{version} {} {}", line.seq, line.op_name);
            }
        }
    }
}

#[test]
fn errors_show_the_entry_and_are_final() {
    for version in VERSIONS {
        let mut decoder = EntryDecoder::new(FROM_THE_BEGINNING);
        let errors: Vec<_> = lines(version).iter().filter_map(|(_, raw)| decoder.decode(raw).err()).collect();
        assert!(!errors.is_empty(), "{version}");
        for error in errors {
            assert!(error.to_string().contains("\"op\":"), "{error}");
            assert_eq!(error.retry(), Retry::Never);
        }
    }
}

/// What was decoded in two runs, the second one begun where the first says, is what one run decodes.
#[test]
fn a_restart_anywhere_loses_and_repeats_nothing() {
    for version in VERSIONS {
        let entries: Vec<_> = lines(version).into_iter().map(|(_, raw)| raw).filter(is_supported).collect();
        let mut decoder = EntryDecoder::new(FROM_THE_BEGINNING);
        let mut whole: HashMap<Optime, Vec<Change>> = HashMap::new();
        let mut restarts = Vec::new();
        for raw in &entries {
            let optime = OplogEntry::parse(raw).expect("an envelope").optime();
            whole.insert(optime, decoder.decode(raw).unwrap_or_default());
            restarts.push((optime, decoder.oldest_open()));
        }
        for (applied, oldest_open) in restarts.into_iter().step_by(7) {
            let mut decoder = EntryDecoder::resume(FROM_THE_BEGINNING, ChangePosition::end_of(applied));
            for raw in &entries {
                let optime = OplogEntry::parse(raw).expect("an envelope").optime();
                if optime < oldest_open.unwrap_or(applied) {
                    continue;
                }
                let expected = if optime <= applied { &Vec::new() } else { &whole[&optime] };
                assert_eq!(&decoder.decode(raw).unwrap_or_default(), expected, "{version} {applied} {optime}");
            }
        }
    }
}

/// `applyOps` with a refused member is an error in both runs; such entries say nothing about restarts.
fn is_supported(raw: &RawDocumentBuf) -> bool {
    EntryDecoder::new(FROM_THE_BEGINNING).decode(raw).is_ok()
        || raw.get_document("o").is_ok_and(|o| o.get("applyOps").is_ok_and(|members| members.is_some()))
}

#[test]
fn entries_come_out_of_a_batch_as_they_went_in() {
    for version in VERSIONS {
        let lines = lines(version);
        let mut builder = BatchBuilder::new(Optime::ZERO);
        let mut previous = Optime::ZERO;
        for chunk in lines.chunks(100) {
            let mut kept = Vec::new();
            for (_, raw) in chunk {
                let entry = OplogEntry::parse(raw).expect("an envelope");
                let relevance = relevance(&entry);
                builder.add(&entry, &relevance);
                if relevance != Relevance::Drop {
                    kept.push(raw.as_bytes());
                }
            }
            let batch = builder.finish().expect("entries were added");
            assert_eq!(batch.previous, previous);
            assert_eq!(batch.entry_count as usize, chunk.len());
            previous = batch.last;
            let opened = open_batch(&batch).expect("just built");
            assert_eq!(opened.iter().map(|entry| entry.as_bytes()).collect::<Vec<_>>(), kept);
        }
        assert_eq!(builder.finish(), None);
    }
}
