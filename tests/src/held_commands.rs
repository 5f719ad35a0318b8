//! Holds back commands of one of mongoferry's stages at a server, so that a test can act at a certain moment.

use std::time::Duration;

use bson::doc;
use mongodb::Client;

/// `Interrupted`: what a stage tries again for a minute, and its successor after that.
const INTERRUPTED: i32 = 11601;

/// Commands that fail until others are held back or none. The server needs `enableTestCommands=1`.
pub struct HeldCommands<'a> {
    server: &'a Client,
}

/// How many commands a server had held back before.
#[derive(Clone, Copy)]
pub struct Before(i64);

impl<'a> HeldCommands<'a> {
    pub fn on(server: &'a Client) -> Self {
        Self { server }
    }

    /// From now on these commands of the stage, and only these, fail.
    pub async fn hold(&self, stage: &str, commands: &[&str]) {
        self.fail(stage, commands, INTERRUPTED).await;
    }

    /// The same once about `passed` of them have come through.
    pub async fn hold_after(&self, stage: &str, commands: &[&str], passed: u32) {
        let data = doc! {"failCommands": commands, "appName": format!("mongoferry-{stage}"), "errorCode": INTERRUPTED};
        self.configure(doc! {"mode": {"skip": passed}, "data": data}).await;
    }

    /// From now on each of these commands of the stage is begun only after `pause`.
    pub async fn delay(&self, stage: &str, commands: &[&str], pause: Duration) -> Before {
        self.delay_as(doc! {"mode": "alwaysOn"}, stage, commands, pause).await
    }

    /// The same for the next one alone.
    pub async fn delay_once(&self, stage: &str, commands: &[&str], pause: Duration) -> Before {
        self.delay_as(doc! {"mode": {"times": 1}}, stage, commands, pause).await
    }

    async fn delay_as(&self, mut mode: bson::Document, stage: &str, commands: &[&str], pause: Duration) -> Before {
        let milliseconds = i64::try_from(pause.as_millis()).expect("a pause is short");
        let data = doc! {"failCommands": commands, "appName": format!("mongoferry-{stage}"), "blockConnection": true,
        "blockTimeMS": milliseconds};
        mode.insert("data", data);
        self.configure(mode).await
    }

    /// From now on these commands of the stage fail with an error of the server's.
    pub async fn fail(&self, stage: &str, commands: &[&str], code: i32) {
        let data = doc! {"failCommands": commands, "appName": format!("mongoferry-{stage}"), "errorCode": code};
        self.configure(doc! {"mode": "alwaysOn", "data": data}).await;
    }

    /// The same whoever sends them.
    pub async fn fail_all(&self, commands: &[&str], code: i32) {
        self.configure(doc! {"mode": "alwaysOn", "data": {"failCommands": commands, "errorCode": code}}).await;
    }

    pub async fn release(&self) {
        self.configure(doc! {"mode": "off"}).await;
    }

    /// Until the server holds back the `number`th command, from 1, since this was told to begin at `before`.
    pub async fn until_held(&self, before: Before, number: i64) {
        let command = doc! {"waitForFailPoint": "failCommand", "timesEntered": before.0 + number, "maxTimeMS": 120_000};
        self.server.database("admin").run_command(command).await.expect("the command comes");
    }

    async fn configure(&self, configuration: bson::Document) -> Before {
        let mut command = doc! {"configureFailPoint": "failCommand"};
        command.extend(configuration);
        let reply = self.server.database("admin").run_command(command).await.expect("the server has fail points");
        Before(i64::from(reply.get_i32("count").unwrap_or(0)))
    }
}
