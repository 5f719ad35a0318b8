//! What is applied: operations of an application on eight collections, half of them updates, 30 % inserts, 20 % deletes,
//! in commands of 50. The same with every run; each round goes on where the last one ended.

use std::time::Duration;

use bson::{RawArrayBuf, RawDocumentBuf, doc, raw::cstr, rawdoc};
use mongodb::Client;
use mongoferry_protocol::Optime;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use tokio::task::JoinSet;

use crate::fixture::{ACCOUNTS, LIVELY, account, account_collection, text};

/// In each round.
pub const OPERATIONS: u64 = 200_000;
const PER_COMMAND: usize = 50;
/// Five updates, three inserts, two deletes, spread.
const CYCLE: [Kind; 10] = {
    use Kind::*;
    [Update, Insert, Update, Delete, Update, Insert, Update, Delete, Update, Insert]
};

#[derive(Clone, Copy)]
enum Kind {
    Update,
    Insert,
    Delete,
}

pub struct Load {
    accounts: Vec<Accounts>,
}

/// One collection, and who writes to it.
struct Accounts {
    collection: String,
    /// `_id`s of the documents in it.
    alive: Vec<i64>,
    next: i64,
    rng: StdRng,
}

/// A stretch of the source's oplog.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    /// The last entry before it.
    pub after: Optime,
    pub last: Optime,
}

impl Load {
    pub fn new(documents: i64) -> Self {
        let accounts = (0..ACCOUNTS).map(|number| Accounts {
            collection: account_collection(number),
            alive: (0..documents).collect(),
            next: documents,
            rng: StdRng::seed_from_u64(1_000 + number as u64),
        });
        Self { accounts: accounts.collect() }
    }

    /// Writes one round's operations, all collections side by side.
    pub async fn write(&mut self, source: &Client) -> Span {
        let after = last_optime(source).await;
        let mut writers = JoinSet::new();
        for mut accounts in self.accounts.drain(..) {
            let source = source.clone();
            writers.spawn(async move {
                accounts.write(&source, OPERATIONS as usize / ACCOUNTS / PER_COMMAND).await;
                accounts
            });
        }
        self.accounts = writers.join_all().await;
        self.accounts.sort_by(|one, other| one.collection.cmp(&other.collection));
        Span { after, last: last_optime(source).await }
    }
}

impl Accounts {
    async fn write(&mut self, source: &Client, commands: usize) {
        for kind in CYCLE.iter().cycle().take(commands) {
            let command = self.command(*kind);
            let reply = source.database(LIVELY).run_raw_command(command).await.expect("the source writes");
            assert!(reply.get_i32("n").is_ok_and(|n| n == PER_COMMAND as i32), "{reply}");
        }
    }

    fn command(&mut self, kind: Kind) -> RawDocumentBuf {
        let name = self.collection.clone();
        let (mut command, field, statements) = match kind {
            Kind::Update => (rawdoc! { "update": name }, cstr!("updates"), self.statements(Self::update)),
            Kind::Insert => (rawdoc! { "insert": name }, cstr!("documents"), self.statements(Self::insert)),
            Kind::Delete => (rawdoc! { "delete": name }, cstr!("deletes"), self.statements(Self::delete)),
        };
        command.append(field, statements);
        command.append(cstr!("writeConcern"), rawdoc! { "w": 1 });
        command
    }

    fn statements(&mut self, mut statement: impl FnMut(&mut Self) -> RawDocumentBuf) -> RawArrayBuf {
        (0..PER_COMMAND).map(|_| statement(self)).collect()
    }

    fn update(&mut self) -> RawDocumentBuf {
        let id = self.alive[self.rng.random_range(0..self.alive.len())];
        let at = bson::DateTime::from_millis(1_760_000_000_000 + self.rng.random_range(0..1_000_000_000_i64));
        let set = rawdoc! { "tok": text(&mut self.rng, 24), "st.a": self.rng.random_range(0..1_000_i32), "ts": at };
        rawdoc! { "q": { "_id": id }, "u": { "$set": set, "$inc": { "n": 1_i64 } } }
    }

    fn insert(&mut self) -> RawDocumentBuf {
        let id = self.next;
        self.next += 1;
        self.alive.push(id);
        account(id, &mut self.rng)
    }

    fn delete(&mut self) -> RawDocumentBuf {
        let index = self.rng.random_range(0..self.alive.len());
        rawdoc! { "q": { "_id": self.alive.swap_remove(index) }, "limit": 1 }
    }
}

/// Of the last entry in the oplog, once a majority has it.
async fn last_optime(client: &Client) -> Optime {
    loop {
        let hello = client.database("admin").run_command(doc! { "hello": 1 }).await.expect("the server answers");
        let write = hello.get_document("lastWrite").expect("a member of a set tells");
        let optime = |name| write.get_document(name).and_then(|at| at.get_timestamp("ts")).expect("is part of it");
        let (last, majority) = (optime("opTime"), optime("majorityOpTime"));
        if last == majority {
            return Optime::new(last.time, last.increment);
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
