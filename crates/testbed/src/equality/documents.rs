//! Documents of one collection: the source's are kept in memory by `_id`, the destination's are held against them.

use std::collections::HashMap;

use bson::{RawDocument, RawDocumentBuf, doc};
use futures_util::TryStreamExt;
use mongodb::{Client, error::Result, raw_batch_cursor::RawBatchCursor};
use mongoferry_protocol::Namespace;

use super::{Found, committed, from_primary};

const LONGEST_SHOWN: usize = 400;

/// An `_id` as a one-field document: value and type, byte for byte.
type Id = Vec<u8>;

pub(super) async fn compare(
    source: &Client,
    destination: &Client,
    namespace: &Namespace,
    found: &mut Found,
) -> Result<()> {
    let mut missing = read(source, namespace).await?;
    let mut batches = scan(destination, namespace).await?;
    while let Some(batch) = batches.try_next().await? {
        for document in batch.doc_slices()? {
            let actual = document?.as_document().expect("a batch holds documents");
            let id = id_of(actual)?;
            match missing.remove(&id) {
                None => found.add(format!("{namespace} {}: only on the destination", shown(&id))),
                Some(expected) if expected == actual.as_bytes() => {}
                Some(expected) => found.add(format!(
                    "{namespace} {}: is {} on the destination, {} on the source",
                    shown(&id),
                    shown(actual.as_bytes()),
                    shown(&expected)
                )),
            }
        }
        if found.full() {
            return Ok(());
        }
    }
    for id in missing.keys() {
        found.add(format!("{namespace} {}: only on the source", shown(id)));
    }
    Ok(())
}

/// The first place at which the order of the documents is not the same.
pub(super) async fn compare_order(
    source: &Client,
    destination: &Client,
    namespace: &Namespace,
    found: &mut Found,
) -> Result<()> {
    let (expected, actual) = (ids(source, namespace).await?, ids(destination, namespace).await?);
    let place = expected.iter().zip(&actual).position(|(expected, actual)| expected != actual);
    if let Some(place) = place {
        let (expected, actual) = (shown(&expected[place]), shown(&actual[place]));
        found.add(format!("{namespace}: document {place} is {actual} on the destination, {expected} on the source"));
    }
    Ok(())
}

async fn ids(client: &Client, namespace: &Namespace) -> Result<Vec<Id>> {
    let mut ids = Vec::new();
    let mut batches = scan(client, namespace).await?;
    while let Some(batch) = batches.try_next().await? {
        for document in batch.doc_slices()? {
            ids.push(id_of(document?.as_document().expect("a batch holds documents"))?);
        }
    }
    Ok(ids)
}

async fn read(client: &Client, namespace: &Namespace) -> Result<HashMap<Id, Vec<u8>>> {
    let mut documents = HashMap::new();
    let mut batches = scan(client, namespace).await?;
    while let Some(batch) = batches.try_next().await? {
        for document in batch.doc_slices()? {
            let document = document?.as_document().expect("a batch holds documents");
            documents.insert(id_of(document)?, document.as_bytes().to_vec());
        }
    }
    Ok(documents)
}

/// In the order of the collection, which is the quickest.
async fn scan(client: &Client, namespace: &Namespace) -> Result<RawBatchCursor> {
    let collection = client.database(namespace.database()).collection::<RawDocumentBuf>(namespace.collection());
    collection
        .find(doc! {})
        .read_concern(committed())
        .selection_criteria(from_primary())
        .hint(mongodb::options::Hint::Keys(doc! { "$natural": 1 }))
        .batch()
        .await
}

/// By the bytes: a text as an `_id` need not be UTF-8.
fn id_of(document: &RawDocument) -> Result<Id> {
    let mut begin = 4;
    for element in document.iter_elements() {
        let element = element?;
        let end = begin + 1 + element.key().as_str().len() + 1 + element.size();
        if element.key().as_str() == "_id" {
            let field = &document.as_bytes()[begin..end];
            let length = i32::try_from(field.len() + 5).expect("shorter than its document").to_le_bytes();
            return Ok([&length, field, &[0]].concat());
        }
        begin = end;
    }
    Ok(Id::new())
}

fn shown(bytes: &[u8]) -> String {
    let text = match RawDocument::from_bytes(bytes).map(|raw| raw.try_into()) {
        Ok(Ok(document)) => bson::Document::to_string(&document),
        _ => format!("{bytes:02x?}"),
    };
    match text.char_indices().nth(LONGEST_SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
