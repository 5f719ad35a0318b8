//! One round: copy and apply, each by the bare loop and by the product, and a cutover.

use crate::{
    bare_apply::{self, bare_apply, copy_aside},
    bare_copy::bare_copy,
    cost::Cost,
    cpu_meter::now,
    fixture::{Fixture, LIVELY, contents},
    lane_transactions::{LaneTransactions, prepare},
    product::{Cutover, Product},
    servers::Servers,
};

/// The same work done in both ways.
#[derive(Clone, Debug)]
pub struct Pair {
    pub bare: Cost,
    pub product: Cost,
}

pub struct RoundFigures {
    pub copy: Pair,
    pub apply: Pair,
    /// Of the product, before it copies.
    pub start_up: Cost,
    /// Of the product, while the load was written: taking it from the oplog to the bus.
    pub capture: Cost,
    pub cutover: Cutover,
    pub documents: u64,
    /// Documents copied a second time, because a range changed hands.
    pub repeated: u64,
    pub collections: usize,
    /// Write operations that the load was folded to.
    pub operations: u64,
}

struct Applied {
    costs: Pair,
    capture: Cost,
    operations: u64,
}

/// The destination is empty before and after.
pub async fn round(servers: &Servers, fixture: &mut Fixture, bare_first: bool) -> RoundFigures {
    let mut bare = None;
    if bare_first {
        bare = Some(measure_bare_copy(servers).await);
        servers.wipe_destination().await;
    }
    servers.settle().await;
    let mut product = Product::start(servers).await;
    let copied = product.copied(servers).await;
    let applied = apply(servers, fixture, &mut product, bare_first).await;
    let cutover = product.cut_over(servers).await;
    servers.wipe_destination().await;
    let bare = match bare {
        Some(bare) => bare,
        None => measure_bare_copy(servers).await,
    };
    servers.wipe_destination().await;
    RoundFigures {
        copy: Pair { bare, product: copied.copy },
        apply: applied.costs,
        start_up: copied.start_up,
        capture: applied.capture,
        cutover,
        documents: copied.records.documents,
        repeated: copied.records.repeated,
        collections: Fixture::all().len(),
        operations: applied.operations,
    }
}

async fn measure_bare_copy(servers: &Servers) -> Cost {
    let began = now();
    let bytes = bare_copy(&servers.source, &servers.destination, &Fixture::all(), None).await;
    servers.meter.cost(began, now()).of_bare_loop().doing(bytes)
}

/// The product rests while the load is written and while the bare loop applies it.
async fn apply(servers: &Servers, fixture: &mut Fixture, product: &mut Product, bare_first: bool) -> Applied {
    product.pause().await;
    copy_aside(&servers.source, &servers.destination).await;
    let paused_at = now();
    let span = fixture.load.write(&servers.source).await;
    product.captured(span).await;
    let capture = servers.meter.cost(paused_at, now()).of_capture();
    let transactions = prepare(&servers.source, span).await;
    let (changes, operations) = (transactions.changes, transactions.operations);
    servers.settle().await;
    let (bare, by_product) = if bare_first {
        let bare = measure_bare_apply(servers, transactions).await;
        servers.settle().await;
        (bare, product.apply(servers, span, paused_at).await)
    } else {
        let by_product = product.apply(servers, span, paused_at).await;
        servers.settle().await;
        (measure_bare_apply(servers, transactions).await, by_product)
    };
    assert_same_result(servers).await;
    bare_apply::tidy(&servers.destination).await;
    let costs = Pair { bare: bare.doing(changes), product: by_product.doing(changes) };
    Applied { costs, capture: capture.doing(changes), operations }
}

async fn measure_bare_apply(servers: &Servers, transactions: LaneTransactions) -> Cost {
    let began = now();
    bare_apply(&servers.destination, transactions).await;
    servers.meter.cost(began, now()).of_bare_loop()
}

async fn assert_same_result(servers: &Servers) {
    let product = contents(&servers.destination, LIVELY).await;
    assert_eq!(contents(&servers.destination, bare_apply::DATABASE).await, product, "both did the same work");
    assert_eq!(contents(&servers.source, LIVELY).await, product, "what the source has");
}
