//! A headless Chromium, driven by chromedriver as an operator would: by what can be seen and clicked.

use std::{path::Path, process::Stdio, time::Duration};

use bson::Binary;
use mongoferry_tests::{children_of, kill};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    time::{Instant, sleep},
};

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(180);
const POLL: Duration = Duration::from_millis(100);
/// What WebDriver calls the member that holds an element's reference.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
/// A desk, and the narrowest phone that is common.
pub const WIDTHS: [(u32, &str); 2] = [(1280, "desk"), (375, "phone")];

/// Dropped, it is killed.
pub struct Browser {
    driver: Child,
    http: reqwest::Client,
    session: String,
    _profile: tempfile::TempDir,
}

impl Browser {
    pub async fn start() -> Self {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("chromedriver starts; on Debian: apt-get install chromium chromium-driver");
        let port = port(&mut driver).await;
        let profile = tempfile::tempdir().expect("a directory");
        let profile_option = format!("--user-data-dir={}", profile.path().display());
        let arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", &profile_option];
        let wanted = json!({"goog:chromeOptions": {"args": arguments}, "goog:loggingPrefs": {"browser": "ALL"}});
        let http = reqwest::Client::new();
        let mut browser = Self { driver, http, session: format!("http://127.0.0.1:{port}/session"), _profile: profile };
        let begun = browser.call(Method::POST, "", json!({"capabilities": {"alwaysMatch": wanted}})).await;
        let id = begun["sessionId"].as_str().expect("a session has a name");
        browser.session += &format!("/{id}");
        browser.take(WIDTHS[0].0).await;
        browser
    }

    pub async fn open(&self, address: &str) {
        self.call(Method::POST, "/url", json!({"url": address})).await;
    }

    /// What a script answers that runs in the page; it may wait.
    pub async fn evaluate(&self, script: &str) -> Value {
        let script = format!("return (async () => {{ {script} }})()");
        self.call(Method::POST, "/execute/sync", json!({"script": script, "args": []})).await
    }

    /// Until an expression is true in the page.
    pub async fn wait_for(&self, expression: &str) {
        let began = Instant::now();
        while self.evaluate(&format!("return Boolean({expression})")).await != json!(true) {
            assert!(began.elapsed() < PATIENCE, "never came: {expression}\n{}", self.text("body").await);
            sleep(POLL).await;
        }
    }

    pub async fn wait_for_phase(&self, phase: &str) {
        self.wait_for(&format!("document.body.dataset.phase === '{phase}'")).await;
    }

    /// What can be read there.
    pub async fn text(&self, selector: &str) -> String {
        let text = self.evaluate(&format!("return document.querySelector('{selector}').innerText")).await;
        text.as_str().expect("is text").to_owned()
    }

    /// Fails if it can't be clicked by somebody who sees the page.
    pub async fn click(&self, selector: &str) {
        let element = self.element(selector).await;
        self.call(Method::POST, &format!("/element/{element}/click"), json!({})).await;
    }

    pub async fn enter(&self, selector: &str, text: &str) {
        let element = self.element(selector).await;
        self.call(Method::POST, &format!("/element/{element}/value"), json!({"text": text})).await;
    }

    /// Looks at the page at each width: it must not be wider than the screen. Keeps what it saw under `name`.
    pub async fn look(&self, name: &str) {
        for (width, device) in WIDTHS {
            self.take(width).await;
            let wide = self.evaluate("return document.documentElement.scrollWidth").await;
            assert!(wide.as_u64() <= Some(width.into()), "{name}: {wide} wide on a {device} of {width}");
            let shot = self.devtools("Page.captureScreenshot", json!({"captureBeyondViewport": true})).await;
            keep(&format!("{name}-{device}.png"), shot["data"].as_str().expect("is encoded"));
        }
        self.take(WIDTHS[0].0).await;
    }

    /// A screen of that width.
    async fn take(&self, width: u32) {
        let screen = json!({"width": width, "height": 812, "deviceScaleFactor": 1, "mobile": width < 500});
        self.devtools("Emulation.setDeviceMetricsOverride", screen).await;
    }

    /// The errors in the console since it was last asked. `source` tells where they come from: `network` is an answer that
    /// was missed.
    pub async fn errors(&self) -> Vec<(String, String)> {
        let entries = self.call(Method::POST, "/se/log", json!({"type": "browser"})).await;
        let text = |entry: &Value, name: &str| entry[name].as_str().unwrap_or_default().to_owned();
        let entries = entries.as_array().expect("is a list").clone();
        let severe = entries.into_iter().filter(|entry| entry["level"] == "SEVERE");
        severe.map(|entry| (text(&entry, "source"), text(&entry, "message"))).collect()
    }

    async fn element(&self, selector: &str) -> String {
        let found = self.call(Method::POST, "/element", json!({"using": "css selector", "value": selector})).await;
        found[ELEMENT].as_str().expect("is a reference").to_owned()
    }

    async fn devtools(&self, command: &str, parameters: Value) -> Value {
        self.call(Method::POST, "/goog/cdp/execute", json!({"cmd": command, "params": parameters})).await
    }

    async fn call(&self, method: Method, path: &str, body: Value) -> Value {
        let request = self.http.request(method, format!("{}{path}", self.session)).json(&body);
        let answer = request.send().await.expect("chromedriver answers");
        let succeeded = answer.status().is_success();
        let answer: Value = answer.json().await.expect("is JSON");
        assert!(succeeded, "{path} {body}: {}", answer["value"]["message"]);
        answer["value"].clone()
    }
}

impl Drop for Browser {
    /// Chromedriver ends with its handle; its browser would not.
    fn drop(&mut self) {
        if let Some(driver) = self.driver.id() {
            children_of(driver).into_iter().for_each(kill);
        }
    }
}

/// Chromedriver says which port it found free.
async fn port(driver: &mut Child) -> u16 {
    let mut lines = BufReader::new(driver.stdout.take().expect("is piped")).lines();
    while let Some(line) = lines.next_line().await.expect("is text") {
        if let Some((_, port)) = line.rsplit_once("successfully on port ") {
            let port = port.trim_end_matches('.').parse().expect("is a port");
            // A pipe that nobody reads would stop it one day.
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return port;
        }
    }
    panic!("chromedriver ended at once");
}

fn keep(name: &str, encoded: &str) {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("page");
    std::fs::create_dir_all(&directory).expect("the directory is made");
    let picture = Binary::from_base64(encoded, None).expect("is encoded").bytes;
    std::fs::write(directory.join(name), picture).expect("the picture is written");
}
