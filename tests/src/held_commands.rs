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

    /// From now on each of these commands of the stage is answered only after `pause`.
    pub async fn delay(&self, stage: &str, commands: &[&str], pause: Duration) {
        let milliseconds = i64::try_from(pause.as_millis()).expect("a pause is short");
        let data = doc! {"failCommands": commands, "appName": format!("mongoferry-{stage}"), "blockConnection": true,
        "blockTimeMS": milliseconds};
        self.configure(doc! {"mode": "alwaysOn", "data": data}).await;
    }

    /// From now on these commands of the stage fail with an error of the server's.
    pub async fn fail(&self, stage: &str, commands: &[&str], code: i32) {
        let data = doc! {"failCommands": commands, "appName": format!("mongoferry-{stage}"), "errorCode": code};
        self.configure(doc! {"mode": "alwaysOn", "data": data}).await;
    }

    pub async fn release(&self) {
        self.configure(doc! {"mode": "off"}).await;
    }

    async fn configure(&self, configuration: bson::Document) {
        let mut command = doc! {"configureFailPoint": "failCommand"};
        command.extend(configuration);
        self.server.database("admin").run_command(command).await.expect("the server has fail points");
    }
}
