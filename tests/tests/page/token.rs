use mongoferry_tests::{Clusters, Migration};
use serde_json::json;

use crate::browser::Browser;

/// GIVEN an API that wants a token WHEN the page is opened THEN it asks for it, tells a wrong one, and having been given the
/// right one once asks no more, also when it is loaded again.
#[tokio::test(flavor = "multi_thread")]
async fn the_token_is_entered_once() {
    let clusters = Clusters::start().await;
    let state = tempfile::tempdir().expect("a directory");
    let mut migration =
        Migration::between(&clusters, state.path()).environment("MONGOFERRY_API_TOKEN", "a-token").start();
    migration.wait_for_api().await;
    let browser = Browser::start().await;
    browser.open(migration.api_address()).await;
    browser.wait_for("!document.getElementById('token').hidden").await;
    browser.look("0-token").await;
    assert_eq!(browser.evaluate("return document.getElementById('main').hidden").await, json!(true));
    browser.enter("#token-value", "another").await;
    browser.click("#token button").await;
    browser.wait_for("!document.getElementById('token-refused').hidden").await;
    browser.enter("#token-value", "a-token").await;
    browser.click("#token button").await;
    browser.wait_for("!document.getElementById('main').hidden").await;
    browser.open(migration.api_address()).await;
    browser.wait_for("!document.getElementById('main').hidden").await;
    assert_eq!(browser.evaluate("return document.getElementById('token').hidden").await, json!(true));
}
