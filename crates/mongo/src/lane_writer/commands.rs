//! Steps as write commands: neighbours of one kind share a command as far as it may grow. Pure and lazy, so that no more
//! than one command is in memory at a time.

use bson::{RawArrayBuf, RawDocumentBuf, raw::cstr, rawdoc};
use mongoferry_protocol::Namespace;

use super::{
    InsertForm, WriteStep,
    piece::Part,
    transaction::Statement,
    update_forms::{delete_statement, is_altered_by_the_server, update_statement},
};

/// A command may hold 100,000 statements.
const COMMAND_STATEMENTS: usize = 90_000;
/// A command may be 16 MiB and 16 KiB; each statement has some bytes around its documents.
const COMMAND_BYTES: usize = 12 * 1024 * 1024;
const STATEMENT_BYTES: usize = 128;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Delete,
    Insert,
    Update,
}

pub(super) struct Commands<'a> {
    parts: std::slice::Iter<'a, Part<'a>>,
    rest: Option<(&'a Namespace, &'a [WriteStep])>,
    form: InsertForm,
    /// Steps in the commands so far.
    done: usize,
}

impl<'a> Commands<'a> {
    pub fn new(parts: &'a [Part<'a>], form: InsertForm) -> Self {
        Self { parts: parts.iter(), rest: None, form, done: 0 }
    }
}

impl Iterator for Commands<'_> {
    type Item = Statement;

    fn next(&mut self) -> Option<Statement> {
        loop {
            match self.rest.take() {
                Some((namespace, steps)) if !steps.is_empty() => {
                    let kind = kind_of(&steps[0], self.form);
                    let (group, rest) = steps.split_at(group_length(steps, kind, self.form));
                    self.rest = Some((namespace, rest));
                    let first_step = self.done;
                    self.done += group.len();
                    return Some(Statement { first_step, ..statement(namespace, kind, group) });
                }
                _ => self.rest = self.parts.next().map(|part| Some((part.namespace(), &*part.steps)))?,
            }
        }
    }
}

fn kind_of(step: &WriteStep, form: InsertForm) -> Kind {
    match step {
        WriteStep::Delete { .. } => Kind::Delete,
        WriteStep::Insert { document } if form == InsertForm::Insert && !is_altered_by_the_server(document) => {
            Kind::Insert
        }
        WriteStep::InsertMissing { document } if !is_altered_by_the_server(document) => Kind::Insert,
        WriteStep::Insert { .. }
        | WriteStep::InsertMissing { .. }
        | WriteStep::Put { .. }
        | WriteStep::Replace { .. }
        | WriteStep::Modify { .. }
        | WriteStep::Delta { .. }
        | WriteStep::Pipeline { .. }
        | WriteStep::Reread { .. } => Kind::Update,
    }
}

/// How many steps, at least one, fit into one command of `kind`.
fn group_length(steps: &[WriteStep], kind: Kind, form: InsertForm) -> usize {
    let mut bytes = 0;
    let fits = |step: &&WriteStep| {
        bytes += step.byte_count() + STATEMENT_BYTES;
        bytes <= COMMAND_BYTES && kind_of(step, form) == kind
    };
    steps.iter().take(COMMAND_STATEMENTS).take_while(fits).count().max(1)
}

fn statement(namespace: &Namespace, kind: Kind, steps: &[WriteStep]) -> Statement {
    let (name, mut command) = match kind {
        Kind::Delete => ("delete from", rawdoc! { "delete": namespace.collection(), "ordered": false }),
        Kind::Insert => ("insert into", rawdoc! { "insert": namespace.collection(), "ordered": false }),
        // Several may concern one document.
        Kind::Update => ("update of", rawdoc! { "update": namespace.collection(), "ordered": true }),
    };
    match kind {
        Kind::Delete => command.append(cstr!("deletes"), deletes(steps)),
        Kind::Insert => command.append(cstr!("documents"), documents(steps)),
        Kind::Update => command.append(cstr!("updates"), updates(steps)),
    }
    if kind != Kind::Delete {
        command.append(cstr!("bypassDocumentValidation"), true);
    }
    let what = format!("{name} {namespace}");
    Statement { namespace: namespace.clone(), command, what, must_match: None, first_step: 0 }
}

fn deletes(steps: &[WriteStep]) -> RawArrayBuf {
    let ids = steps.iter().filter_map(|step| match step {
        WriteStep::Delete { id } => Some(id),
        _ => None,
    });
    ids.map(|id| delete_statement(id)).collect()
}

fn documents(steps: &[WriteStep]) -> RawArrayBuf {
    let documents = steps.iter().filter_map(|step| match step {
        WriteStep::Insert { document } | WriteStep::InsertMissing { document } => Some(document.as_ref()),
        _ => None,
    });
    documents.collect()
}

fn updates(steps: &[WriteStep]) -> RawArrayBuf {
    let statements: Vec<RawDocumentBuf> = steps.iter().filter_map(update_statement).collect();
    statements.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use bson::rawdoc;
    use mongoferry_protocol::{CollectionUuid, Namespace, WriteOrder};

    use super::Commands;
    use crate::lane_writer::{CollectionSteps, InsertForm, WriteStep, piece::Part};

    fn insert(id: i32, text_bytes: usize) -> WriteStep {
        WriteStep::Insert { document: rawdoc! {"_id": id, "text": "x".repeat(text_bytes)} }
    }

    fn names(steps: &[WriteStep], form: InsertForm) -> Vec<String> {
        let namespace = Namespace::new("shop", "orders");
        let collection = CollectionSteps {
            namespace,
            uuid: CollectionUuid::from_bytes([1; 16]),
            order: WriteOrder::default(),
            steps: steps.to_vec(),
        };
        let parts = [Part::of(&collection)];
        let first_key = |statement: crate::lane_writer::transaction::Statement| {
            let (name, _) = statement.command.iter().next().expect("a command").expect("valid");
            name.as_str().to_owned()
        };
        Commands::new(&parts, form).map(first_key).collect()
    }

    #[test]
    fn neighbours_of_one_kind_share_a_command() {
        let delete = |id: i32| WriteStep::Delete { id: rawdoc! {"_id": id} };
        let replace = |id: i32| WriteStep::Replace { id: rawdoc! {"_id": id}, document: rawdoc! {"_id": id} };
        let steps = [delete(1), delete(2), insert(3, 1), insert(4, 1), replace(5), delete(6), insert(7, 1)];
        assert_eq!(names(&steps, InsertForm::Insert), ["delete", "insert", "update", "delete", "insert"]);
        assert_eq!(names(&steps, InsertForm::Upsert), ["delete", "update", "delete", "update"]);
        assert!(names(&[], InsertForm::Insert).is_empty());
    }

    #[test]
    fn the_validator_has_no_say() {
        let namespace = Namespace::new("shop", "orders");
        let replace = WriteStep::Replace { id: rawdoc! {"_id": 1}, document: rawdoc! {"_id": 1} };
        let steps = vec![insert(1, 1), replace];
        let collection = CollectionSteps {
            namespace,
            uuid: CollectionUuid::from_bytes([1; 16]),
            order: WriteOrder::default(),
            steps,
        };
        for statement in Commands::new(&[Part::of(&collection)], InsertForm::Insert) {
            assert!(statement.command.get_bool("bypassDocumentValidation").expect("says so"), "{}", statement.what);
        }
    }

    #[test]
    fn a_command_holds_what_it_may_and_a_large_document_goes_alone() {
        let mib = 1024 * 1024;
        let steps = [insert(1, 5 * mib), insert(2, 5 * mib), insert(3, 5 * mib), insert(4, 15 * mib), insert(5, 1)];
        assert_eq!(names(&steps, InsertForm::Insert).len(), 4);
    }
}
