//! Who is told of events.

use std::time::Duration;

use futures_util::{FutureExt, future::BoxFuture};
use mongoferry_protocol::{Event, Explain, Retry};
use mongoferry_stage::{NotifyArgs, SecretFileError};
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use super::{command_hook::CommandHook, webhook::Webhook};

/// Of one event to one target; then it is given up, and the next one is tried.
const PATIENCE: Duration = Duration::from_secs(60);
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

pub enum Target {
    Webhook(Webhook),
    Command(CommandHook),
}

pub struct Targets(Vec<Target>);

/// Why an attempt did not succeed.
pub enum Trouble {
    /// Worth another attempt.
    Passing(String),
    Lasting(String),
}

#[derive(Debug, thiserror::Error)]
pub enum TargetsError {
    #[error(transparent)]
    Secret(#[from] SecretFileError),
    #[error("a webhook's address is not one: {reason}")]
    Address { reason: String },
}

impl Targets {
    pub fn of(args: &NotifyArgs) -> Result<Self, TargetsError> {
        let secret = args.secret()?;
        let webhook =
            |address: &mongoferry_stage::SecretUri| Webhook::at(address.reveal(), secret.clone()).map(Target::Webhook);
        let mut targets = args.webhook.iter().map(webhook).collect::<Result<Vec<_>, _>>()?;
        targets.extend(args.on_event.clone().map(|command| Target::Command(CommandHook::new(command))));
        Ok(Self(targets))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> std::slice::Iter<'_, Target> {
        self.0.iter()
    }
}

impl Target {
    /// Ends when it has it or was given up.
    pub async fn deliver(&self, event: &Event) {
        let began = Instant::now();
        let mut pause = FIRST_PAUSE;
        let reason = loop {
            match self.attempt(event).await {
                Ok(()) => return,
                Err(Trouble::Passing(reason)) if began.elapsed() + pause < PATIENCE => {
                    tracing::debug!(event = event.id, reason, "{} is tried again", self.name());
                    tokio::time::sleep(pause).await;
                    pause = LONGEST_PAUSE.min(pause * 2);
                }
                Err(Trouble::Passing(reason) | Trouble::Lasting(reason)) => break reason,
            }
        };
        tracing::warn!(event = event.id, reason, "{} was not told of an event", self.name());
    }

    /// The same in every run, for the same address or command.
    pub fn key(&self) -> String {
        let (kind, what) = match self {
            Self::Webhook(webhook) => ("webhook", webhook.address()),
            Self::Command(hook) => ("command", hook.command().to_owned()),
        };
        let digest = Sha256::digest(what.as_bytes());
        let hex: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        format!("{kind}-{hex}")
    }

    fn attempt<'a>(&'a self, event: &'a Event) -> BoxFuture<'a, Result<(), Trouble>> {
        match self {
            Self::Webhook(webhook) => webhook.deliver(event).boxed(),
            Self::Command(hook) => hook.run(event).boxed(),
        }
    }

    /// Without anything secret.
    fn name(&self) -> String {
        match self {
            Self::Webhook(webhook) => format!("the webhook at {}", webhook.host()),
            Self::Command(_) => "the command of --on-event".into(),
        }
    }
}

impl Explain for TargetsError {
    fn code(&self) -> &'static str {
        match self {
            Self::Secret(error) => error.code(),
            Self::Address { .. } => "MF-NOTIFY-1",
        }
    }

    fn hint(&self) -> String {
        match self {
            Self::Secret(error) => error.hint(),
            Self::Address { .. } => "Give --webhook (MONGOFERRY_WEBHOOK) as in https://host/path.".into(),
        }
    }

    fn retry(&self) -> Retry {
        Retry::AfterFix
    }
}
