//! The table that the benchmark ends in.

use std::{collections::BTreeSet, time::Duration};

use crate::{
    cost::Cost,
    round::{Pair, RoundFigures},
    servers::Servers,
};

const GIB: f64 = 1024.0 * 1024.0 * 1024.0;
const MIB: f64 = 1024.0 * 1024.0;
/// More than this and walls say little.
const MUCH_OTHER_WORK: f64 = 0.30;

pub fn print(rounds: &[RoundFigures], servers: &Servers, took: Duration) {
    let of = |figure: fn(&RoundFigures) -> f64| median(rounds.iter().map(figure));
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
    println!("\nmongoferry {} beside bare loops that send the same commands", env!("CARGO_PKG_VERSION"));
    println!(
        "mongod {}, {cores} cores, {} rounds in {:.0} s; medians of the rounds, ratios within each round\n",
        servers.clusters.source.version(),
        rounds.len(),
        took.as_secs_f64()
    );
    println!(
        "copy     {:.0} MiB in {} documents of {} collections, first range taken to last acknowledged",
        of(|round| round.copy.product.units / MIB),
        rounds[0].documents,
        rounds[0].collections
    );
    println!(
        "apply    {} changes of a captured oplog, folded to {} operations; with transactions and checkpoints\n",
        rounds[0].apply.product.units, rounds[0].operations
    );
    println!("{:<34}{:>10}{:>12}{:>8}{:>8}", "", "bare loop", "mongoferry", "ratio", "aim");
    ratio("copy     CPU          cpu-s/GiB", rounds, |round| &round.copy, |cost| cost.cpu_per_unit() * GIB, 1.15);
    ratio("copy     wall             s/GiB", rounds, |round| &round.copy, |cost| cost.seconds_per_unit() * GIB, 1.25);
    ratio("apply    CPU      cpu-µs/change", rounds, |round| &round.apply, |cost| cost.cpu_per_unit() * 1e6, 1.30);
    ratio("apply    wall         µs/change", rounds, |round| &round.apply, |cost| cost.seconds_per_unit() * 1e6, 1.30);
    cutover(rounds);
    println!(
        "\nstart-up {:.2} s and {:.2} cpu-s until the first range is taken; capture {:.1} cpu-µs/change of ours and the bus",
        of(|round| round.start_up.seconds),
        of(|round| round.start_up.cpu_seconds()),
        of(|round| round.capture.cpu_per_unit() * 1e6),
    );
    parts(rounds);
    other_busy(rounds);
    let repeated: u64 = rounds.iter().map(|round| round.repeated).sum();
    if repeated > 0 {
        println!("note: {repeated} documents were copied a second time, because a range changed hands");
    }
}

fn ratio(
    name: &str,
    rounds: &[RoundFigures],
    pair: impl Fn(&RoundFigures) -> &Pair,
    figure: impl Fn(&Cost) -> f64,
    aim: f64,
) {
    let bare = median(rounds.iter().map(|round| figure(&pair(round).bare)));
    let product = median(rounds.iter().map(|round| figure(&pair(round).product)));
    let ratios = || rounds.iter().map(|round| figure(&pair(round).product) / figure(&pair(round).bare));
    let each: Vec<String> = ratios().map(|ratio| format!("{ratio:.2}")).collect();
    let ratio = median(ratios());
    println!(
        "{name:<34}{bare:>10.2}{product:>12.2}{ratio:>8.2}{aim:>8.2}  {}  ({})",
        met(ratio <= aim),
        each.join(" ")
    );
}

fn cutover(rounds: &[RoundFigures]) {
    const AIM_SECONDS: f64 = 2.0;
    let seconds = |of: fn(&RoundFigures) -> u64| median(rounds.iter().map(|round| of(round) as f64 / 1_000.0));
    let downtime = seconds(|round| round.cutover.downtime);
    let each: Vec<String> =
        rounds.iter().map(|round| format!("{:.2}", round.cutover.downtime as f64 / 1_000.0)).collect();
    println!(
        "{:<34}{:>10}{downtime:>12.2}{:>8}{AIM_SECONDS:>8.2}  {}  ({})",
        "cutover  write downtime         s",
        "",
        "",
        met(downtime < AIM_SECONDS),
        each.join(" ")
    );
    println!(
        "{:<34}draining {:.2} s, verifying {:.2} s (all {:.0} MiB on both sides), finalizing {:.2} s",
        "           of which",
        seconds(|round| round.cutover.draining),
        seconds(|round| round.cutover.verifying),
        median(rounds.iter().map(|round| round.cutover.verified_bytes as f64 / MIB)),
        seconds(|round| round.cutover.finalizing)
    );
}

fn met(met: bool) -> &'static str {
    if met { "met   " } else { "missed" }
}

/// Where the CPU goes.
fn parts(rounds: &[RoundFigures]) {
    type Column = fn(&RoundFigures) -> &Cost;
    let columns: [Column; 5] = [
        |round| &round.copy.bare,
        |round| &round.copy.product,
        |round| &round.apply.bare,
        |round| &round.apply.product,
        |round| &round.cutover.cost,
    ];
    println!("\n{:<34}{:>22}{:>24}{:>12}", "CPU by process", "copy, cpu-s/GiB", "apply, cpu-µs/change", "cutover,");
    println!("{:<34}{:>10}{:>12}{:>12}{:>12}{:>12}", "", "bare loop", "mongoferry", "bare loop", "mongoferry", "cpu-s");
    let costs = rounds.iter().flat_map(|round| columns.map(|column| column(round)));
    let parts: BTreeSet<&str> = costs.flat_map(|cost| cost.cpu.keys().map(String::as_str)).collect();
    for part in parts {
        let used = |column: Column, scale: f64| {
            let used = |cost: &Cost| cost.cpu.get(part).copied().unwrap_or(0.0) / cost.units * scale;
            median(rounds.iter().map(|round| used(column(round))))
        };
        let scales = [GIB, GIB, 1e6, 1e6, 1.0];
        let [a, b, c, d, e] = [0, 1, 2, 3, 4].map(|column| used(columns[column], scales[column]));
        println!("{part:<34}{a:>10.2}{b:>12.2}{c:>12.2}{d:>12.2}{e:>12.2}");
    }
}

fn other_busy(rounds: &[RoundFigures]) {
    let measured = |round: &RoundFigures| {
        let (copy, apply) = (&round.copy, &round.apply);
        [&copy.bare, &copy.product, &apply.bare, &apply.product, &round.cutover.cost].map(|cost| cost.other_busy)
    };
    let busy: Vec<[f64; 5]> = rounds.iter().map(measured).collect();
    let [a, b, c, d, e] = [0, 1, 2, 3, 4].map(|column| 100.0 * median(busy.iter().map(|round| round[column])));
    println!("{:<34}{a:>10.0}{b:>12.0}{c:>12.0}{d:>12.0}{e:>12.0}", "other_busy: % of the machine");
    if busy.iter().flatten().any(|busy| *busy > MUCH_OTHER_WORK) {
        println!("\nnote: others used more than 30 % of the machine at times; go by the CPU ratios, not by the walls");
    }
}

/// Of the middle two the mean.
fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    (values[(values.len() - 1) / 2] + values[values.len() / 2]) / 2.0
}
