//! Whether two clusters hold the same, byte for byte. It shares nothing with the product's own verifier, so that the two
//! can't be wrong together.
//!
//! Compared: every database but the servers' own and mongoferry's; each collection's and view's type and options; each
//! index, by name and in order, field by field; each document's bytes, by the bytes of its `_id`; in capped collections,
//! the order of the documents.
//! Both sides must be silent meanwhile. Memory: the source's largest collection.

mod collections;
mod documents;
mod indexes;
mod same_fields;

use mongodb::{
    Client,
    error::Result,
    options::{ReadConcern, SelectionCriteria},
};

use crate::testbed_error::TestbedError;

/// More are not listed; the first few tell what is wrong.
const MOST_DIFFERENCES: usize = 20;

/// Panics with the list of differences, if there are any.
pub async fn assert_equal(source: &Client, destination: &Client) {
    let differences = differences(source, destination).await.expect("both sides can be read");
    assert!(differences.is_empty(), "source and destination differ:\n  {}", differences.join("\n  "));
}

/// At most 20 differences, each with its namespace and, for documents, the `_id`; none means equal.
pub async fn differences(source: &Client, destination: &Client) -> std::result::Result<Vec<String>, TestbedError> {
    compare(source, destination).await.map_err(TestbedError::database("compare two clusters"))
}

async fn compare(source: &Client, destination: &Client) -> Result<Vec<String>> {
    let mut found = Found::default();
    let on_source = collections::list(source).await?;
    let on_destination = collections::list(destination).await?;
    for namespace in on_destination.keys().filter(|namespace| !on_source.contains_key(*namespace)) {
        found.add(format!("{namespace}: only on the destination"));
    }
    for (namespace, expected) in &on_source {
        let Some(actual) = on_destination.get(namespace) else {
            found.add(format!("{namespace}: only on the source"));
            continue;
        };
        if !collections::same(expected, actual) {
            found.add(format!("{namespace}: listed as {actual} on the destination, as {expected} on the source"));
        }
        if collections::holds_documents(expected) && collections::holds_documents(actual) && !found.full() {
            indexes::compare(source, destination, namespace, &mut found).await?;
            documents::compare(source, destination, namespace, &mut found).await?;
            if collections::is_capped(expected) {
                documents::compare_order(source, destination, namespace, &mut found).await?;
            }
        }
    }
    Ok(found.list)
}

#[derive(Default)]
struct Found {
    list: Vec<String>,
}

impl Found {
    fn add(&mut self, difference: String) {
        if !self.full() {
            self.list.push(difference);
        }
    }

    fn full(&self) -> bool {
        self.list.len() >= MOST_DIFFERENCES
    }
}

fn committed() -> ReadConcern {
    ReadConcern::majority()
}

fn from_primary() -> SelectionCriteria {
    SelectionCriteria::ReadPreference(mongodb::options::ReadPreference::Primary)
}
