//! What happens in one migration, in order: what the user does, when documents are copied, what befalls the processes.

use crate::{
    action::Action,
    dice::Dice,
    operations::{Operation, Release, operations},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// `kill -9` of the applier, which is started again; after so many milliseconds of work.
    Kill { after_ms: u64 },
    /// The applier sleeps, as a machine that is suspended, until another has taken over, and wakes up again. Takes more
    /// than the ten seconds after which its lease counts as lost.
    Sleep { after_ms: u64 },
    /// `kill -9` of the tailer, which is started again.
    KillTailer,
}

#[derive(Debug)]
pub enum Step {
    Act {
        name: &'static str,
        action: Action,
    },
    /// The oplog is captured from here on.
    Capture,
    /// The collections are listed; what exists then is copied.
    List,
    /// The documents whose turn it is are copied.
    Copy {
        turn: usize,
    },
    /// Everything is copied; the applier begins.
    Replay,
    Fault(Fault),
}

pub struct History {
    pub steps: Vec<Step>,
    pub turns: usize,
    /// Documents of one collection are copied at one time instead of each at its own.
    pub whole_collections: bool,
}

const RANDOM_OPERATIONS: usize = 110;

impl History {
    /// Every operation before the copy, every operation during it, and every fault; but the slow one with the latest
    /// release only.
    pub fn tour(seed: u64, release: Release) -> Self {
        let mut dice = Dice::thorough(seed);
        let all = operations(release);
        let turns = 5;
        let mut steps = Vec::new();
        all.iter().filter(|operation| operation.weight > 0).for_each(|operation| act(&mut steps, operation, &mut dice));
        steps.push(Step::Capture);
        for (done, operation) in all.iter().enumerate() {
            act(&mut steps, operation, &mut dice);
            if done == all.len() / 6 {
                steps.push(Step::List);
            } else if done > all.len() / 6 && done % (all.len() / 7) == 0 {
                let turn = steps.iter().filter(|step| matches!(step, Step::Copy { .. })).count();
                steps.extend((turn < turns).then_some(Step::Copy { turn }));
            }
        }
        let copied = steps.iter().filter(|step| matches!(step, Step::Copy { .. })).count();
        steps.extend((copied..turns).map(|turn| Step::Copy { turn }));
        steps.push(Step::Replay);
        let mut faults = vec![Fault::Kill { after_ms: 0 }, Fault::KillTailer, Fault::Kill { after_ms: 200 }];
        faults.extend((release >= (6, 0)).then_some(Fault::Sleep { after_ms: 50 }));
        for (fault, operation) in faults.into_iter().zip(&all) {
            steps.push(Step::Fault(fault));
            act(&mut steps, operation, &mut dice);
        }
        Self { steps, turns, whole_collections: false }
    }

    pub fn random(seed: u64, release: Release) -> Self {
        let mut dice = Dice::new(seed);
        let all = operations(release);
        let turns = 1 + dice.index(6);
        let whole_collections = dice.chance(0.2);
        let mut marks = marks(&mut dice, turns);
        let mut steps = Vec::new();
        for done in 0..RANDOM_OPERATIONS {
            while marks.last().is_some_and(|(at, _)| *at <= done) {
                steps.extend(marks.pop().map(|(_, step)| step));
            }
            let operation = any(&all, &mut dice);
            act(&mut steps, operation, &mut dice);
        }
        steps.extend(marks.into_iter().rev().map(|(_, step)| step));
        Self { steps, turns, whole_collections }
    }
}

/// The steps that are not the user's and before which operation each comes, the last one first.
fn marks(dice: &mut Dice, turns: usize) -> Vec<(usize, Step)> {
    let mut at = dice.index(RANDOM_OPERATIONS / 4);
    let mut marks = vec![(at, Step::Capture)];
    at += dice.index(RANDOM_OPERATIONS / 5);
    marks.push((at, Step::List));
    for turn in 0..turns {
        at += dice.index(RANDOM_OPERATIONS / 5);
        marks.push((at, Step::Copy { turn }));
    }
    // Mostly everything that is to be replayed is there at once; sometimes it still comes in.
    at = if dice.chance(0.6) { RANDOM_OPERATIONS } else { at };
    marks.push((at, Step::Replay));
    for _ in 0..dice.index(4) {
        at += dice.index(20);
        let after_ms = dice.seed() % dice.pick(&[1, 100, 600]);
        let fault = if dice.chance(0.2) { Fault::KillTailer } else { Fault::Kill { after_ms } };
        marks.push((at, Step::Fault(fault)));
    }
    marks.reverse();
    marks
}

fn any<'a>(all: &[&'a Operation], dice: &mut Dice) -> &'a Operation {
    let total: u32 = all.iter().map(|operation| operation.weight).sum();
    let mut drawn = u32::try_from(dice.number(i32::try_from(total).expect("few"))).expect("not negative");
    let found = all.iter().find(|operation| {
        let found = drawn < operation.weight;
        drawn = drawn.saturating_sub(operation.weight);
        found
    });
    found.expect("the weights add up")
}

fn act(steps: &mut Vec<Step>, operation: &Operation, dice: &mut Dice) {
    let actions = (operation.make)(dice);
    steps.extend(actions.into_iter().map(|action| Step::Act { name: operation.name, action }));
}
