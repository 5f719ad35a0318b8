//! Writes of documents byte for byte, as a user's application with an unusual driver would make them. All of them panic on a
//! write that the server refuses.

use bson::{Document, RawArrayBuf, RawDocument, RawDocumentBuf, doc, raw::cstr, rawdoc};
use mongodb::Client;
use mongoferry_protocol::Namespace;

use crate::odd_values::raw;

/// A command may be 16 MiB and 16 KiB.
const COMMAND_BYTES: usize = 8 * 1024 * 1024;

/// Where a test writes.
pub struct Writes {
    client: Client,
    namespace: Namespace,
}

impl Writes {
    pub fn to(client: &Client, namespace: &str) -> Self {
        Self { client: client.clone(), namespace: namespace.parse().expect("a namespace") }
    }

    /// Stored as they are, with zero timestamps too: those that an insert would alter are the results of pipelines.
    pub async fn insert(&self, documents: &[RawDocumentBuf]) {
        let (literal, plain): (Vec<_>, Vec<_>) = documents.iter().partition(|document| has_zero_timestamp(document));
        for part in parts(&plain) {
            let documents: RawArrayBuf = part.iter().map(|document| document.as_ref()).collect();
            self.run(rawdoc! { "insert": self.namespace.collection(), "documents": documents }).await;
        }
        for document in literal {
            self.put(&id_of(document), document, true).await;
        }
    }

    /// Replaces what has this `_id`, or creates it.
    pub async fn put(&self, id: &RawDocument, document: &RawDocument, upsert: bool) {
        let mut pipeline = RawArrayBuf::new();
        pipeline.push(rawdoc! { "$replaceWith": { "$literal": document.to_owned() } });
        self.statement(rawdoc! { "q": equal(id), "u": pipeline, "upsert": upsert }).await;
    }

    /// Replaces with a replacement document.
    pub async fn replace(&self, id: &RawDocument, document: &RawDocument) {
        self.statement(rawdoc! { "q": equal(id), "u": document.to_owned() }).await;
    }

    pub async fn update(&self, id: &RawDocument, update: RawDocumentBuf) {
        self.statement(rawdoc! { "q": equal(id), "u": update }).await;
    }

    pub async fn pipeline(&self, id: &RawDocument, stages: Vec<Document>) {
        let stages: RawArrayBuf = stages.iter().map(|stage| RawDocumentBuf::try_from(stage).expect("valid")).collect();
        self.statement(rawdoc! { "q": equal(id), "u": stages }).await;
    }

    pub async fn update_all(&self, update: Document) {
        let update = RawDocumentBuf::try_from(&update).expect("valid");
        self.statement(rawdoc! { "q": {}, "u": update, "multi": true }).await;
    }

    pub async fn delete(&self, id: &RawDocument) {
        let mut deletes = RawArrayBuf::new();
        deletes.push(rawdoc! { "q": equal(id), "limit": 1 });
        self.run(rawdoc! { "delete": self.namespace.collection(), "deletes": deletes }).await;
    }

    pub async fn count(&self) -> u64 {
        let database = self.client.database(self.namespace.database());
        database.collection::<Document>(self.namespace.collection()).count_documents(doc! {}).await.expect("counts")
    }

    async fn statement(&self, statement: RawDocumentBuf) {
        let mut updates = RawArrayBuf::new();
        updates.push(statement);
        self.run(rawdoc! { "update": self.namespace.collection(), "updates": updates }).await;
    }

    async fn run(&self, mut command: RawDocumentBuf) {
        command.append(cstr!("bypassDocumentValidation"), true);
        // Nothing here asks the source to remember; by default, servers of 5.0 and later wait for the disk.
        command.append(cstr!("writeConcern"), rawdoc! { "w": 1 });
        let database = self.client.database(self.namespace.database());
        let reply =
            database.run_raw_command(command).await.unwrap_or_else(|error| panic!("{}: {error}", self.namespace));
        assert!(!reply.contains_key("writeErrors"), "{}: {reply}", self.namespace);
    }
}

/// `{_id: value}` of a document, which begins with it.
pub fn id_of(document: &RawDocument) -> RawDocumentBuf {
    raw(&[first_value(document, "_id")])
}

fn equal(id: &RawDocument) -> RawDocumentBuf {
    let mut query = RawDocumentBuf::new();
    query.append(cstr!("_id"), raw(&[first_value(id, "$eq")]));
    query
}

/// The first field under another name, byte for byte: an `_id` need not be UTF-8.
fn first_value(document: &RawDocument, name: &str) -> Vec<u8> {
    let first = document.iter_elements().next().expect("a field").expect("valid");
    let begin = 4 + 1 + first.key().as_str().len() + 1;
    let bytes = document.as_bytes();
    [&bytes[4..5], name.as_bytes(), &[0], &bytes[begin..begin + first.size()]].concat()
}

fn has_zero_timestamp(document: &RawDocument) -> bool {
    document.iter().flatten().any(|(name, value)| {
        name.as_str() != "_id" && value.as_timestamp().is_some_and(|at| (at.time, at.increment) == (0, 0))
    })
}

fn parts<'a>(documents: &[&'a RawDocumentBuf]) -> Vec<Vec<&'a RawDocumentBuf>> {
    let mut parts: Vec<Vec<&RawDocumentBuf>> = vec![Vec::new()];
    let mut bytes = 0;
    for document in documents {
        bytes += document.as_bytes().len();
        if bytes > COMMAND_BYTES && parts.last().is_some_and(|part| !part.is_empty()) {
            parts.push(Vec::new());
            bytes = document.as_bytes().len();
        }
        parts.last_mut().expect("is never empty").push(document);
    }
    parts.retain(|part| !part.is_empty());
    parts
}
