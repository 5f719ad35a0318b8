//! What befell whom when, and what it cost.

use std::{fmt::Write, time::Duration};

use mongoferry_protocol::Phase;

use crate::fault::Fault;

#[derive(Default)]
pub struct Ledger {
    rows: Vec<Row>,
}

pub struct Row {
    pub fault: Fault,
    pub phase: Phase,
    pub migration: u32,
    /// From the end of the fault until work went on; absent if the next fault came before that.
    pub continued_after: Option<Duration>,
    /// Documents that were copied a second time, by the time that work went on.
    pub repeated: u64,
}

impl Ledger {
    pub fn add(&mut self, row: Row) {
        eprintln!("{}", row.line());
        self.rows.push(row);
    }

    pub fn faults_in(&self, phase: Phase) -> usize {
        self.rows.iter().filter(|row| row.phase == phase).count()
    }

    /// All rows, by phase.
    pub fn table(&self) -> String {
        let mut table = String::from("faults by phase:\n");
        for phase in Phase::ALL {
            let mut rows: Vec<&Row> = self.rows.iter().filter(|row| row.phase == phase).collect();
            rows.sort_by_key(|row| row.fault.to_string());
            if !rows.is_empty() {
                let _ = writeln!(table, "{phase}: {}", rows.len());
                rows.iter().for_each(|row| table += &format!("  {}\n", row.line()));
            }
        }
        table
    }
}

impl Row {
    fn line(&self) -> String {
        let Self { fault, phase, migration, continued_after, repeated } = self;
        let continued =
            continued_after.map_or("met the next one".into(), |after| format!("{:.1} s", after.as_secs_f64()));
        format!(
            "{migration:>3} {:<12} {:<45} continued after {continued}, {repeated} documents repeated",
            phase.as_str(),
            fault.to_string()
        )
    }
}
