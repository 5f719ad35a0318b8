use mongoferry_protocol::Phase;
use mongoferry_tests::{Clusters, Migration};
use reqwest::Method;
use serde_json::{Value, json};

use crate::schema::misfits;

/// GIVEN a running coordinator WHEN every call of its OpenAPI document is made THEN each answers as the document says; what
/// is not in it is refused as the document says too.
#[tokio::test(flavor = "multi_thread")]
async fn every_call_answers_as_the_document_says() {
    let clusters = Clusters::seeded(1).await;
    let state = tempfile::tempdir().expect("a directory");
    let mut migration = Migration::between(&clusters, state.path()).argument("--start=manual").start();
    migration.wait_for_phase(Phase::Created).await;
    let document = migration.get("openapi.json").await;
    assert_eq!(document["openapi"], "3.1.0");

    for (path, _) in calls(&document).into_iter().filter(|(_, method)| *method == "get") {
        check(&migration, &document, &path, "get").await;
    }
    migration.process("validator").await;
    migration.post("start").await;
    migration.wait_for_phase(Phase::Ready).await;
    for (path, method) in calls(&document) {
        check(&migration, &document, &path, method).await;
    }
    let refusal = &document["components"]["schemas"]["Refusal"];
    for (method, path) in [(Method::GET, "/api/v1/nothing"), (Method::GET, "/api/v1/pause"), (Method::POST, "/healthz")]
    {
        let (status, answer) = ask(&migration, method, path).await;
        let answer: Value = serde_json::from_str(&answer).expect("is JSON");
        assert!(!status.is_success(), "{path}");
        assert_eq!(misfits(&document, refusal, &answer, path), Vec::<String>::new());
    }
}

/// Those that change nothing first, those that end the migration last.
fn calls(document: &Value) -> Vec<(String, &'static str)> {
    let mut calls = Vec::new();
    for (path, methods) in document["paths"].as_object().expect("paths are listed") {
        for method in methods.as_object().expect("methods are listed").keys() {
            calls.push((path.clone(), if method == "get" { "get" } else { "post" }));
        }
    }
    assert!(calls.len() > 15, "{calls:?}");
    calls.sort_by_key(|(path, method)| (*method == "post", path.ends_with("/commit"), path.ends_with("/cancel")));
    calls
}

async fn check(migration: &Migration, document: &Value, path: &str, method: &str) {
    let call = &document["paths"][path][method];
    let asked = path.replace("{id}", "1");
    let method = if method == "get" { Method::GET } else { Method::POST };
    let (status, answer) = ask(migration, method, &asked).await;
    let answered = if status.is_success() { &call["responses"]["200"] } else { &call["responses"]["default"] };
    match answered["content"].as_object().expect("has a form").iter().next().expect("has one") {
        (kind, form) if kind == "application/json" => {
            let answer = serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{asked}: {error}: {answer}"));
            assert_eq!(misfits(document, &form["schema"], &answer, path), Vec::<String>::new(), "{answer}");
        }
        _ => assert!(!answer.is_empty(), "{asked}"),
    }
}

async fn ask(migration: &Migration, method: Method, path: &str) -> (reqwest::StatusCode, String) {
    let request = reqwest::Client::new().request(method.clone(), format!("{}{path}", migration.api_address()));
    let request = if method == Method::POST { request.json(&json!({})) } else { request };
    let answer = request.send().await.expect("the API answers");
    let status = answer.status();
    if answer.headers().get("content-type").is_some_and(|kind| kind == "text/event-stream") {
        let mut stream = answer;
        let first = stream.chunk().await.expect("it goes on").expect("it has a beginning");
        return (status, String::from_utf8(first.to_vec()).expect("is text"));
    }
    (status, answer.text().await.expect("is text"))
}
