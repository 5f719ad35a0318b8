use mongodb::bson::doc;
use mongoferry_testbed::{MongodVersion, ReplicaSet};
use mongoferry_tests::{Clusters, HeldCommands, Migration};
use serde_json::json;

use crate::browser::Browser;

/// GIVEN an index that the destination can't build WHEN the cutover is opened on the page THEN it is named and has to be
/// accepted; a source that can't block writes is named too; WHEN the migration is to be cancelled there THEN its name has to be typed, and the page ends with the report.
#[tokio::test(flavor = "multi_thread")]
async fn what_can_not_be_undone_is_confirmed() {
    let source = ReplicaSet::builder().version(MongodVersion::V4_4_2).parameter("enableTestCommands=1");
    let (source, destination) = tokio::join!(source.start(), ReplicaSet::single());
    let clusters = Clusters { source: source.expect("starts"), destination: destination.expect("starts") };
    let state = tempfile::tempdir().expect("a directory");
    let migration = with_an_index_of_the_past(&clusters, state.path()).await;
    let browser = Browser::start().await;
    browser.open(migration.api_address()).await;
    browser.wait_for_phase("ready").await;
    browser.wait_for("!document.getElementById('cutover').disabled").await;

    browser.click("#cutover").await;
    browser
        .wait_for("document.getElementById('cutover-missing-list').innerText.includes('haystack of shop.places')")
        .await;
    browser.click("#cutover-stopped").await;
    assert_eq!(is_disabled(&browser, "cutover-go").await, json!(true));
    browser.click("#cutover-without").await;
    browser.wait_for("!document.getElementById('cutover-go').disabled").await;
    browser.look("8-missing-index").await;
    browser.click("#cutover-stopped").await;
    assert_eq!(is_disabled(&browser, "cutover-go").await, json!(true));
    browser.click("#cutover-block").await;
    browser.click("#cutover-go").await;
    browser.wait_for("document.getElementById('cutover-refused').innerText.includes('MF-CUTOVER-8')").await;
    browser.look("8-no-block").await;
    let told = browser.errors().await;
    assert!(told.len() == 1 && told[0].1.contains("409"), "the refusal alone: {told:?}");
    browser.click("#cutover-dialog button[value=no]").await;

    browser.click("#cancel").await;
    browser.enter("#cancel-name", "defaul").await;
    assert_eq!(is_disabled(&browser, "cancel-go").await, json!(true));
    browser.enter("#cancel-name", "t").await;
    browser.look("9-cancel").await;
    assert_eq!(browser.errors().await, []);
    browser.click("#cancel-go").await;
    browser.wait_for_phase("cancelled").await;
    browser.wait_for("!document.getElementById('report').hidden").await;
    assert!(browser.text("#report").await.contains("The source is untouched"));
    browser.look("10-cancelled").await;
    assert_eq!(migration.end().await.code, Some(0));
}

/// 4.4 has this kind of index, 5.0 and later do not. It is made after the validation, which would refuse it.
async fn with_an_index_of_the_past(clusters: &Clusters, state: &std::path::Path) -> Migration {
    let source = clusters.source_client().await;
    let shop = source.database("shop");
    let place = doc! {"insert": "places", "documents": [{"_id": 1, "at": [1.0, 2.0], "kind": "a"}]};
    shop.run_command(place).await.expect("is inserted");
    let listing = HeldCommands::on(&source);
    listing.hold("cutover-coordinator", &["listDatabases"]).await;
    let mut migration = Migration::between(clusters, state).start();
    migration.wait_for("capture has begun", |status| status.captured_optime.is_some()).await;
    let haystack = doc! {"key": {"at": "geoHaystack", "kind": 1}, "name": "haystack", "bucketSize": 1};
    shop.run_command(doc! {"createIndexes": "places", "indexes": [haystack]}).await.expect("is built");
    listing.release().await;
    migration
}

async fn is_disabled(browser: &Browser, id: &str) -> serde_json::Value {
    browser.evaluate(&format!("return document.getElementById('{id}').disabled")).await
}
