use mongodb::{
    IndexModel,
    bson::{Document, doc},
};
use mongoferry_protocol::Phase;
use mongoferry_tests::{Clusters, HeldCommands, Migration, suspend, wake};
use serde_json::json;

use crate::browser::Browser;

/// A name that would be a script for a page that takes data for markup.
const HOSTILE: &str = "<img src=x onerror=alert(1)>";

/// GIVEN a migration under way WHEN it is followed and cut over from the page alone THEN the page shows the copy, the pause,
/// that it got no answer, what has to be confirmed, and the report, at the width of a desk and of a phone.
#[tokio::test(flavor = "multi_thread")]
async fn a_migration_is_followed_and_cut_over_from_the_page() {
    let clusters = Clusters::with_fail_points().await;
    fill(&clusters).await;
    let destination = clusters.destination_client().await;
    let builds = HeldCommands::on(&destination);
    builds.hold("indexer", &["createIndexes"]).await;
    let state = tempfile::tempdir().expect("a directory");
    let mut migration = Migration::between(&clusters, state.path()).argument("--id").argument("walk").start();
    migration.wait_for("the documents", |status| status.phase == Phase::Copying && status.documents >= 2_000).await;

    let browser = Browser::start().await;
    browser.open(migration.api_address()).await;
    browser.wait_for_phase("copying").await;
    browser.wait_for("document.getElementById('headline').textContent === 'Building indexes'").await;
    assert!(browser.text("#collections").await.contains(HOSTILE));
    assert_eq!(browser.evaluate("return document.querySelectorAll('img').length").await, json!(0));
    browser.click("#checks summary").await;
    browser.wait_for("document.getElementById('checks').innerText.includes('MF-V01')").await;
    browser.look("1-copying").await;
    browser.click("#checks summary").await;
    find_among_many(&browser).await;

    browser.click("#pause").await;
    browser.wait_for_phase("paused").await;
    assert!(browser.text("#walk [aria-current]").await.starts_with("Copy"));
    browser.look("2-paused").await;
    browser.click("#resume").await;
    browser.wait_for_phase("copying").await;
    assert_eq!(browser.evaluate("return document.getElementById('cutover').disabled").await, json!(true));
    builds.release().await;
    browser.wait_for_phase("ready").await;
    browser.wait_for("document.getElementById('ahead').innerText.includes('2 of 2')").await;
    browser.wait_for("document.querySelector('#lag svg')").await;
    assert!(browser.text("#timer").await.starts_with("Kept in step for 4 days 23 h"));
    browser.click("#extend").await;
    browser.wait_for("document.getElementById('timer').textContent.startsWith('Kept in step for 5 days 23 h')").await;
    browser.wait_for("!document.getElementById('prediction').hidden").await;
    assert!(browser.text("#prediction").await.starts_with("Cut over now, the write downtime would be about"));
    browser.look("3-ready").await;
    assert_eq!(browser.errors().await, []);

    old_data_is_not_shown_as_fresh(&browser, &mut migration).await;
    cut_over(&browser).await;
    browser.wait_for_phase("committed").await;
    browser.wait_for("!document.getElementById('report').hidden").await;
    let report = browser.text("#report").await;
    for part in ["write downtime", "Equal: 2,001 documents", "Next steps", "Point the applications"] {
        assert!(report.contains(part), "{part} is not in:\n{report}");
    }
    migration.end_committed().await;
    browser.look("7-committed").await;
    assert_eq!(browser.evaluate("return document.body.dataset.fresh").await, json!("true"));
    clusters.assert_equal().await;
    // That nobody answers any more is no error of the page.
    let errors = browser.errors().await;
    assert!(errors.iter().all(|(source, _)| source == "network"), "{errors:?}");
}

async fn fill(clusters: &Clusters) {
    let shop = clusters.source_client().await.database("shop");
    let orders = shop.collection::<Document>("orders");
    orders.insert_many((0..2_000).map(|n| doc! {"_id": n, "customer": n % 7})).await.expect("is inserted");
    let index = |keys, unique| {
        let options = mongodb::options::IndexOptions::builder().unique(unique).build();
        IndexModel::builder().keys(keys).options(options).build()
    };
    let wanted = [index(doc! {"customer": 1}, false), index(doc! {"customer": 1, "_id": 1}, true)];
    orders.create_indexes(wanted).await.expect("the indexes are built");
    shop.collection::<Document>(HOSTILE).insert_one(doc! {"_id": HOSTILE}).await.expect("is inserted");
}

/// Ten thousand collections are a few rows, and each of them is found.
async fn find_among_many(browser: &Browser) {
    let script = "
        const { LongList } = await import('/page/long_list.js');
        const section = document.createElement('section');
        const makeRow = (item) => ({ node: document.createElement('li'), update() { this.node.textContent = item.name; } });
        const order = (a, b) => a.size - b.size;
        const list = new LongList(section, { title: 'Collections', name: (item) => item.name, order, makeRow });
        list.show(Array.from({ length: 10000 }, (_, size) => ({ name: `db.c${size}`, size })), '');
        const shown = section.querySelectorAll('li').length;
        const search = section.querySelector('input');
        search.value = 'C9999';
        search.dispatchEvent(new Event('input'));
        return [shown, Array.from(section.querySelectorAll('li'), (row) => row.textContent)];";
    assert_eq!(browser.evaluate(script).await, json!([10, ["db.c9999"]]));
}

async fn old_data_is_not_shown_as_fresh(browser: &Browser, migration: &mut Migration) {
    let coordinator = migration.process("cutover-coordinator").await;
    suspend(coordinator.pid);
    browser.wait_for("document.body.dataset.fresh === 'false'").await;
    let told = browser.text("#stale").await;
    assert!(told.contains("The coordinator does not answer. What is shown is as of"), "{told}");
    assert_eq!(browser.evaluate("return document.getElementById('cutover').disabled").await, json!(true));
    browser.look("4-no-answer").await;
    wake(coordinator.pid);
    browser.wait_for("document.body.dataset.fresh === 'true' && document.body.dataset.phase === 'ready'").await;
}

async fn cut_over(browser: &Browser) {
    browser.wait_for("!document.getElementById('cutover').disabled").await;
    browser.click("#cutover").await;
    browser.wait_for("document.getElementById('cutover-writes').textContent.startsWith('No change')").await;
    assert_eq!(browser.evaluate("return document.getElementById('cutover-go').disabled").await, json!(true));
    assert!(browser.text("#cutover-predicted").await.starts_with("The write downtime is predicted"));
    browser.look("5-cutover").await;
    browser.click("#cutover-stopped").await;
    browser.wait_for("!document.getElementById('cutover-go').disabled").await;
    browser.look("6-confirmed").await;
    browser.click("#cutover-go").await;
}
