//! A migration at work on this machine: its bus, its stages, and the coordinator's word on how it stands.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use mongoferry_protocol::{MigrationStatus, Phase, Role};
use tokio::time::{Instant, MissedTickBehavior};

use crate::{
    amounts::duration_text,
    child_end::AfterEnd,
    coordinator_api::{CoordinatorApi, Order},
    ending::{End, ending},
    error_text::error_text,
    ground::Ground,
    launch::Launch,
    launcher_error::LauncherError,
    private_bus::PrivateBus,
    progress::Screen,
    stage_plan::{CoordinatorOptions, StageSpec, stage_plan},
    state_dir::{StateDir, write_whole},
    supervisor::{ChildEnded, Supervisor},
};

const LOGS: &str = "logs";
/// What the coordinator said last, for who looks when it is gone.
pub const LAST_STATUS: &str = "status.json";
const KEEP_EVERY: Duration = Duration::from_secs(5);
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// A failure that ends a stage for good is on its way to the coordinator, which fails the migration with it. If it did not
/// arrive within this time, it never will.
const FAILURE_ARRIVES_WITHIN: Duration = Duration::from_secs(15);
const REVIVE_AGAIN: Duration = Duration::from_secs(10);
/// So long without an answer is worth a word.
const QUIET_COORDINATOR: Duration = Duration::from_secs(15);

pub struct RunningMigration {
    bus: Option<PrivateBus>,
    /// When a bus that does not start is tried next.
    revive_at: Instant,
    supervisor: Supervisor,
    api: CoordinatorApi,
    gave_up: Option<(ChildEnded, Instant)>,
    /// When the coordinator last answered.
    answered_at: Instant,
    /// Where the last status is kept, and since when.
    kept: (PathBuf, Option<Instant>),
    /// A failure of an earlier run was looked for, and taken up again.
    resumed: bool,
}

/// What ended the following.
pub enum Seen {
    /// The state that was waited for.
    Goal,
    End(Box<End>),
}

/// What a look at the coordinator gave.
enum Answer {
    GoesOn(Box<MigrationStatus>),
    End(Box<End>),
    /// An earlier failure was taken up again; the next look tells more.
    Resumed,
}

impl RunningMigration {
    /// Starts the stages of `roles` (all, if empty).
    pub fn start(launch: &Launch, roles: &[Role], state_dir: &StateDir, ground: Ground) -> Result<Self, LauncherError> {
        let Ground { lock, listen, bus, environment } = ground;
        let mut plan = plan(launch, listen, state_dir, bus.is_some());
        plan.retain(|stage| roles.is_empty() || roles.contains(&stage.role));
        let kept = (state_dir.at(LAST_STATUS), None);
        let supervisor = Supervisor::start(plan, environment, lock, state_dir.directory(LOGS)?)?;
        let api = CoordinatorApi::new(&format!("http://{}", reachable(listen)), launch.api_token.token()?)?;
        let revive_at = Instant::now();
        Ok(Self { bus, revive_at, supervisor, api, gave_up: None, answered_at: Instant::now(), kept, resumed: false })
    }

    pub fn api(&self) -> &CoordinatorApi {
        &self.api
    }

    /// Shows what happens until the migration ends or `goal` is reached. Whatever dies meanwhile is started again.
    pub async fn follow(
        &mut self,
        screen: &mut Screen,
        goal: impl Fn(&MigrationStatus) -> bool,
    ) -> Result<Seen, LauncherError> {
        let mut looks = tokio::time::interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                ended = self.supervisor.next_end() => self.take_note(ended, screen)?,
                _ = looks.tick() => {
                    self.revive_bus(screen).await;
                    if let Some(seen) = self.look(screen, &goal).await? {
                        return Ok(seen);
                    }
                }
            }
        }
    }

    /// The end, if nothing can follow it any more; waits for the coordinator's first word and changes nothing.
    pub async fn end_if_final(&mut self, screen: &mut Screen) -> Result<Option<Box<End>>, LauncherError> {
        self.resumed = true;
        match self.follow(screen, |_| true).await? {
            Seen::End(end) if end.status.phase.is_final() => Ok(Some(end)),
            Seen::End(_) | Seen::Goal => Ok(None),
        }
    }

    /// Ends the stages, then the bus. All is gone on return.
    pub async fn stop(self) {
        self.supervisor.stop().await;
        if let Some(bus) = self.bus {
            bus.stop().await;
        }
    }

    async fn look(
        &mut self,
        screen: &mut Screen,
        goal: &impl Fn(&MigrationStatus) -> bool,
    ) -> Result<Option<Seen>, LauncherError> {
        let answer = match self.ask().await {
            Ok(answer) => answer,
            // It may be about to start, or to start again.
            Err(LauncherError::ApiUnreachable { .. } | LauncherError::ApiRefused { .. }) => {
                self.lament_silence(screen);
                return self.without_news();
            }
            Err(error) => return Err(error),
        };
        self.answered_at = Instant::now();
        match answer {
            Answer::End(end) => {
                self.keep(&end.status);
                screen.show(&end.status);
                Ok(Some(Seen::End(end)))
            }
            Answer::GoesOn(status) => {
                if self.kept.1.is_none_or(|since| since.elapsed() > KEEP_EVERY) {
                    self.keep(&status);
                }
                screen.show(&status);
                if goal(&status) { Ok(Some(Seen::Goal)) } else { self.without_news() }
            }
            Answer::Resumed => Ok(None),
        }
    }

    fn keep(&mut self, status: &MigrationStatus) {
        self.kept.1 = Some(Instant::now());
        let text = serde_json::to_vec(status).expect("a status has nothing that JSON lacks");
        if let Err(error) = write_whole(&self.kept.0, &text) {
            tracing::debug!(%error, "the last status is not kept");
        }
    }

    async fn ask(&mut self) -> Result<Answer, LauncherError> {
        let status = Box::new(self.api.status().await?);
        if self.resumed_failure(&status).await? {
            return Ok(Answer::Resumed);
        }
        match ending(status.phase) {
            None => Ok(Answer::GoesOn(status)),
            Some(ending) => {
                let report = self.api.report().await?;
                Ok(Answer::End(Box::new(End { ending, status: *status, report })))
            }
        }
    }

    /// A start takes up again what an earlier run failed in; a failure after that is an end.
    async fn resumed_failure(&mut self, status: &MigrationStatus) -> Result<bool, LauncherError> {
        let first = !std::mem::replace(&mut self.resumed, true);
        if !first || status.phase != Phase::Failed {
            return Ok(false);
        }
        match self.api.order(Order::Resume).await {
            Ok(()) => Ok(true),
            // What can't be resumed has ended.
            Err(LauncherError::ApiRefused { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Nothing of the coordinator says that it is over; a stage that gave up may.
    fn without_news(&mut self) -> Result<Option<Seen>, LauncherError> {
        let overdue = |(stage, since): &mut (ChildEnded, Instant)| {
            // The coordinator can't report its own end.
            stage.role == Role::CutoverCoordinator || since.elapsed() > FAILURE_ARRIVES_WITHIN
        };
        match self.gave_up.take_if(overdue) {
            None => Ok(None),
            Some((ChildEnded { instance, status, log, said, .. }, _)) => {
                Err(LauncherError::StageGaveUp { instance, status, log, said })
            }
        }
    }

    fn take_note(&mut self, ended: ChildEnded, screen: &mut Screen) -> Result<(), LauncherError> {
        match ended.after {
            AfterEnd::StartAgain(pause) => screen.say(&format!(
                "{} ended ({}) and is started again in {}; its log: {}",
                ended.instance,
                ended.status,
                duration_text(pause),
                ended.log.display()
            )),
            AfterEnd::GiveUp => self.gave_up = Some((ended, Instant::now())),
        }
        Ok(())
    }

    /// The stages wait for their bus: what keeps it from starting (a full disk, no memory) may be mended.
    async fn revive_bus(&mut self, screen: &mut Screen) {
        let Some(bus) = self.bus.as_mut().filter(|_| Instant::now() >= self.revive_at) else { return };
        match bus.revive().await {
            Ok(true) => screen.say("nats-server ended by itself and was started again"),
            Ok(false) => {}
            Err(error) => {
                self.revive_at = Instant::now() + REVIVE_AGAIN;
                screen.say(&format!("nats-server does not start, which is tried again: {}", error_text(&error)));
            }
        }
    }

    fn lament_silence(&mut self, screen: &mut Screen) {
        if self.answered_at.elapsed() > QUIET_COORDINATOR {
            screen.say(&format!("the coordinator does not answer at {}; see its log", self.api.base()));
            self.answered_at = Instant::now();
        }
    }
}

fn plan(launch: &Launch, listen: SocketAddr, state_dir: &StateDir, private_bus: bool) -> Vec<StageSpec> {
    let launcher = if private_bus { "" } else { &state_dir.state().launcher };
    let Launch { start, cutover, cutover_limit, verify, accept_missing_indexes, .. } = *launch;
    let coordinator = CoordinatorOptions {
        listen,
        api_token_file: launch.api_token.api_token_file.as_deref(),
        start,
        cutover,
        cutover_limit,
        verify,
        drop: launch.drop.as_deref(),
        accept_missing_indexes,
        notify: &launch.notify,
        // The disk of somebody else's bus is not here.
        bus_directory: private_bus.then_some(state_dir.path()),
    };
    stage_plan(coordinator, launch.copiers, launcher)
}

/// Where a listener on all addresses is reached from this machine.
fn reachable(listen: SocketAddr) -> SocketAddr {
    match listen {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => (std::net::Ipv4Addr::LOCALHOST, v4.port()).into(),
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => (std::net::Ipv6Addr::LOCALHOST, v6.port()).into(),
        named => named,
    }
}

#[cfg(test)]
mod tests {
    use super::reachable;

    #[test]
    fn a_listener_on_all_addresses_is_reached_by_loopback() {
        for (listen, reached) in [("0.0.0.0:1", "127.0.0.1:1"), ("[::]:2", "[::1]:2"), ("127.0.0.1:3", "127.0.0.1:3")] {
            assert_eq!(reachable(listen.parse().unwrap()).to_string(), reached);
        }
    }
}
