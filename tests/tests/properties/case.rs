//! One case: a directory of data. Its format is told in `tests/cases/README.md`.

use std::path::Path;

use bson::RawDocumentBuf;
use serde::Deserialize;

use crate::{
    action::{Action, Statement},
    extended_json::{self, ExtendedJson},
    operations::Release,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    #[serde(skip)]
    pub name: String,
    #[expect(dead_code, reason = "for people")]
    what: String,
    since: Option<String>,
    until: Option<String>,
    #[serde(default)]
    pub setup: Vec<Operation>,
    pub operations: Vec<Operation>,
    #[serde(default)]
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(untagged)]
pub enum Operation {
    Mark(Mark),
    /// A document with the ids as its values.
    Copy {
        copy: Ids,
    },
    Run(Run),
    Transaction {
        transaction: Vec<Run>,
        commit: bool,
    },
}

/// Each as a document `{_id: …}`.
pub struct Ids(pub Vec<RawDocumentBuf>);

impl<'de> Deserialize<'de> for Ids {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(extended_json::ids(deserializer)?))
    }
}

#[derive(Clone, Copy, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum Mark {
    List,
    Copy,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    on: Option<String>,
    run: ExtendedJson,
    pub fails: Option<i32>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Entry {
    Always(String),
    Sometimes { kind: String, since: Option<String>, until: Option<String> },
}

impl Case {
    pub fn read(directory: &Path) -> Self {
        let name = directory.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
        let text = std::fs::read_to_string(directory.join("case.json")).expect("a case has its case.json");
        let text = text.replace("@one", &format!("{name}_one")).replace("@two", &format!("{name}_two"));
        let case: Self = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        Self { name, ..case }
    }

    pub fn concerns(&self, release: Release) -> bool {
        within(release, self.since.as_deref(), self.until.as_deref())
    }

    /// Begins of the names of kinds of which a source of this release must have written some.
    pub fn entries(&self, release: Release) -> impl Iterator<Item = &str> {
        self.entries.iter().filter_map(move |entry| match entry {
            Entry::Always(kind) => Some(kind.as_str()),
            Entry::Sometimes { kind, since, until } => {
                within(release, since.as_deref(), until.as_deref()).then_some(kind.as_str())
            }
        })
    }

    /// Databases of this case and of no other.
    pub fn owns(&self, database: &str) -> bool {
        ["one", "two"].iter().any(|suffix| database.strip_prefix(&self.name) == Some(&format!("_{suffix}")))
    }

    /// The user's part of an operation.
    pub fn action(&self, operation: &Operation) -> Option<Action> {
        match operation {
            Operation::Run(run) => Some(Action::Command(self.statement(run))),
            Operation::Transaction { transaction, commit } => {
                let statements = transaction.iter().map(|run| self.statement(run)).collect();
                Some(Action::Transaction { statements, commit: *commit })
            }
            Operation::Mark(_) | Operation::Copy { .. } => None,
        }
    }

    fn statement(&self, run: &Run) -> Statement {
        let database = run.on.clone().unwrap_or_else(|| format!("{}_one", self.name));
        Statement { database, command: run.run.0.clone() }
    }
}

fn within(release: Release, since: Option<&str>, until: Option<&str>) -> bool {
    let parse = |text: &str| -> Release {
        let (major, minor) = text.split_once('.').expect("a release is two numbers");
        (major.parse().expect("a number"), minor.parse().expect("a number"))
    };
    since.is_none_or(|since| parse(since) <= release) && until.is_none_or(|until| release <= parse(until))
}
