use mongodb::bson::{Document, doc};
use mongoferry_tests::{Clusters, Migration};
use serde_json::json;

use crate::browser::Browser;

/// GIVEN a migration that waits for its start WHEN it is validated on the page THEN what stands in the way is shown and keeps
/// it from starting; WHEN that is mended, it is validated again and started there THEN the page goes with it to the report.
#[tokio::test(flavor = "multi_thread")]
async fn a_migration_is_validated_and_started_from_the_page() {
    let clusters = Clusters::start().await;
    for client in [clusters.source_client().await, clusters.destination_client().await] {
        let orders = client.database("shop").collection::<Document>("orders");
        orders.insert_many((0..100).map(|n| doc! {"_id": n})).await.expect("is inserted");
    }
    let state = tempfile::tempdir().expect("a directory");
    let mut migration = Migration::between(&clusters, state.path()).argument("--start=manual").start();
    migration.wait_for_api().await;
    let browser = Browser::start().await;
    browser.open(migration.api_address()).await;
    browser.wait_for_phase("created").await;
    assert_eq!(browser.evaluate("return document.getElementById('start').disabled").await, json!(true));
    browser.look("11-created").await;

    migration.process("validator").await;
    validate(&browser).await;
    browser.wait_for("document.getElementById('beginning-told').textContent.startsWith('1 error in the way')").await;
    assert!(browser.text("#checks").await.contains("MF-V14"));
    assert_eq!(browser.evaluate("return document.getElementById('start').disabled").await, json!(true));
    browser.look("12-in-the-way").await;

    clusters.destination_client().await.database("shop").drop().await.expect("is dropped");
    validate(&browser).await;
    browser.wait_for("document.getElementById('beginning-told').textContent.startsWith('Nothing stands')").await;
    if browser.evaluate("return !document.getElementById('beginning-warned').hidden").await == json!(true) {
        assert_eq!(browser.evaluate("return document.getElementById('start').disabled").await, json!(true));
        browser.click("#beginning-read").await;
    }
    browser.look("13-validated").await;
    browser.click("#start").await;
    browser.wait_for_phase("ready").await;
    assert_eq!(browser.evaluate("return document.getElementById('beginning').hidden").await, json!(true));
    assert!(browser.text("#checks").await.contains("0 errors"));
    assert_eq!(browser.errors().await, []);

    browser.wait_for("!document.getElementById('cutover').disabled").await;
    browser.click("#cutover").await;
    browser.wait_for("document.getElementById('cutover-writes').textContent.startsWith('No change')").await;
    browser.click("#cutover-stopped").await;
    browser.wait_for("!document.getElementById('cutover-go').disabled").await;
    browser.click("#cutover-go").await;
    browser.wait_for_phase("committed").await;
    browser.wait_for("!document.getElementById('report').hidden").await;
    migration.end_committed().await;
    clusters.assert_equal().await;
}

async fn validate(browser: &Browser) {
    browser.wait_for("!document.getElementById('validate').disabled").await;
    browser.click("#validate").await;
}
