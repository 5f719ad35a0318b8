//! How long it took to go on, by victim and phase.

use std::time::Duration;

use crate::victim::Victim;

#[derive(Default)]
pub struct Table {
    cells: Vec<(Victim, &'static str, Duration)>,
}

impl Table {
    pub fn add(&mut self, victim: Victim, phase: &'static str, took: Duration) {
        self.cells.push((victim, phase, took));
    }

    pub fn kills_in(&self, phase: &str) -> usize {
        self.cells.iter().filter(|(_, of, _)| *of == phase).count()
    }

    pub fn kills_of(&self, victim: Victim) -> usize {
        self.cells.iter().filter(|(of, ..)| *of == victim).count()
    }

    /// A row for each victim, a column for each phase.
    pub fn markdown(&self) -> String {
        let mut phases: Vec<&str> = Vec::new();
        for (_, phase, _) in &self.cells {
            if !phases.contains(phase) {
                phases.push(phase);
            }
        }
        let mut lines = vec![format!("| killed | {} |", phases.join(" | ")), "|---".repeat(phases.len() + 1) + "|"];
        for victim in Victim::ALL {
            let cell = |phase: &&str| {
                let found = self.cells.iter().find(|(of, at, _)| *of == victim && at == phase);
                found.map_or("".into(), |(_, _, took)| format!("{:.1} s", took.as_secs_f64()))
            };
            lines.push(format!("| {} | {} |", victim.name(), phases.iter().map(cell).collect::<Vec<_>>().join(" | ")));
        }
        lines.join("\n")
    }
}
