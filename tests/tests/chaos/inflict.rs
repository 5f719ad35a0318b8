//! Lets a fault happen and ends it again. On return all servers run, all processes may run, and the network is whole.

use std::time::Duration;

use mongoferry_testbed::{ProxyMode, ProxyPort};
use mongoferry_tests::{child_if_any, is_running, kill, remove_and_add, restart_all, stop, suspend, wake};
use rand::RngExt;
use tokio::time::{Instant, sleep};

use crate::{
    fault::{Fault, Leg, Side, Trouble},
    round::Round,
};

/// What a fault lasts is part of the fault; nothing is awaited by it. In milliseconds.
const NETWORK: std::ops::Range<u64> = 1_000..4_000;
const WITHIN_LEASE: std::ops::Range<u64> = 500..4_000;
/// A standby takes a lease after 10 s, the bus a range after 15 s.
const BEYOND_LEASE: std::ops::Range<u64> = 12_000..18_000;
/// How long an operator takes.
const MENDED: std::ops::Range<u64> = 1_000..4_000;
const VISIT: std::ops::Range<u64> = 2_000..8_000;
const PROMISED_END: Duration = Duration::from_secs(10);
const LOOK_AGAIN: Duration = Duration::from_millis(20);
const DELAY: Duration = Duration::from_millis(700);

impl Round<'_> {
    pub async fn inflict(&mut self, fault: Fault) {
        match fault {
            Fault::Kill(role) => {
                if let Some(pid) = self.process(role).await {
                    kill(pid);
                }
            }
            Fault::KillBus if self.own_bus => {
                self.arena.nats.kill();
                self.arena.nats.restart().await.expect("nats-server starts again");
            }
            Fault::KillBus => {
                if let Some(pid) = child_if_any(self.launcher(), "nats-server") {
                    kill(pid);
                }
            }
            Fault::KillLauncher => {
                let migration = self.migration.take().expect("is running");
                self.migration = Some(migration.kill_and_start_again().await);
            }
            Fault::KillEverything => {
                let migration = self.migration.take().expect("is running");
                self.migration = Some(migration.kill_with_children_and_start_again().await);
            }
            Fault::Suspend(role) => self.suspend(role, WITHIN_LEASE).await,
            Fault::SuspendBeyondLease(role) => self.suspend(role, BEYOND_LEASE).await,
            Fault::Stop(role) => self.stop(role).await,
            Fault::Copier => {
                let mut guest = self.standbys.process("copier");
                self.last(VISIT).await;
                stop(guest.pid());
                tokio::time::timeout(PROMISED_END, guest.exit_code()).await.expect("it ends within the time promised");
            }
            Fault::RestartAll(side) => restart_all(self.arena.set(side)).await,
            Fault::Reconfigure(side) => remove_and_add(self.arena.set(side)).await,
            Fault::RevokeRights(side) => {
                self.arena.set_rights(side, false).await;
                self.last(MENDED).await;
                self.arena.set_rights(side, true).await;
            }
            Fault::ChangePassword(side) => {
                self.arena.set_password(side, false).await;
                if let Some(pid) = self.process("applier").await {
                    kill(pid);
                }
                self.last(MENDED).await;
                self.arena.set_password(side, true).await;
            }
            Fault::NoRoom => {
                self.arena.set_room(false).await;
                self.last(MENDED).await;
                self.arena.set_room(true).await;
            }
            Fault::StepDown(side) => {
                self.arena.set(side).step_down().await.expect("another primary");
            }
            Fault::KillPrimary(side) => {
                let set = self.arena.set(side);
                let primary = set.primary_index().await.expect("a primary");
                set.kill(primary);
                set.primary_index().await.expect("another primary");
                set.restart(primary).await.expect("comes back");
            }
            Fault::Network(leg, trouble) => self.disturb(leg, trouble).await,
        }
    }

    /// What a fault lasts is drawn, in milliseconds.
    async fn last(&mut self, milliseconds: std::ops::Range<u64>) {
        sleep(Duration::from_millis(self.rng.random_range(milliseconds))).await;
    }

    async fn stop(&mut self, role: &str) {
        let Some(pid) = self.process(role).await else { return };
        let asked = Instant::now();
        stop(pid);
        while is_running(pid) {
            assert!(asked.elapsed() < PROMISED_END, "{role} does not end on SIGTERM");
            sleep(LOOK_AGAIN).await;
        }
    }

    fn launcher(&self) -> u32 {
        self.migration.as_ref().expect("is running").pid()
    }

    /// The active process of the role; the command's own, if nobody has given a sign of life lately.
    async fn process(&mut self, role: &str) -> Option<u32> {
        let processes = self.status().await.copiers;
        let active =
            processes.iter().find(|process| process.role == role && process.active && process.seen_ms_ago < 2_000);
        let own = || child_if_any(self.launcher(), &format!("mongoferry-{role}"));
        active.map(|process| process.pid).or_else(own)
    }

    async fn suspend(&mut self, role: &str, milliseconds: std::ops::Range<u64>) {
        let Some(pid) = self.process(role).await else { return };
        suspend(pid);
        self.last(milliseconds).await;
        wake(pid);
    }

    async fn disturb(&mut self, leg: Leg, trouble: Trouble) {
        let mode = match trouble {
            Trouble::Cut => ProxyMode::Refuse,
            Trouble::BlackHole => ProxyMode::BlackHole,
            Trouble::Reset => ProxyMode::Reset,
            Trouble::Delay => ProxyMode::Delay(DELAY),
        };
        let primary = match leg {
            Leg::Primary(side) => Some(self.arena.set(side).primary_index().await.expect("a primary")),
            Leg::Set(_) | Leg::Bus => None,
        };
        self.set_proxies(leg, primary, mode);
        self.last(NETWORK).await;
        self.set_proxies(leg, primary, ProxyMode::Pass);
        // Members lost one another too.
        if let Leg::Set(side) | Leg::Primary(side) = leg {
            self.arena.set(side).primary_index().await.expect("a primary");
        }
    }

    fn set_proxies(&mut self, leg: Leg, primary: Option<usize>, mode: ProxyMode) {
        let of_set = |side: Side, arena: &mut crate::arena::Arena| {
            let set = arena.set(side);
            (0..set.member_count()).filter(|index| primary.is_none_or(|primary| primary == *index)).for_each(|index| {
                set.proxy(index).set(mode);
            });
        };
        match leg {
            Leg::Set(side) | Leg::Primary(side) => of_set(side, self.arena),
            Leg::Bus => ProxyPort::set(&self.arena.nats_proxy, mode),
        }
    }
}
