//! The demo's two replica sets: a source full of data, and an empty destination.

use std::num::{NonZeroU32, NonZeroUsize};

use indicatif::{ProgressBar, ProgressStyle};
use mongoferry_testbed::{ReplicaSet, SeedSize, SeedSummary, Workload, WorkloadOptions, seed, tools};

use crate::{
    amounts::{bytes_text, counted},
    launcher_error::LauncherError,
    progress::Screen,
};

/// Enough to keep every stage busy, and little enough for a laptop that runs seven of them and two databases.
const WRITES_PER_SECOND: u32 = 300;
const WRITERS: usize = 4;
const MIB: u64 = 1 << 20;
const OPLOG_MIB: u32 = 8 << 10;

pub struct DemoClusters {
    pub source: ReplicaSet,
    pub destination: ReplicaSet,
}

impl DemoClusters {
    /// `size` is in MiB.
    pub async fn start(size: u64) -> Result<Self, LauncherError> {
        provide_tools().await?;
        eprintln!("starting two replica sets");
        // As much oplog as a real cluster has: a small one would rightly be warned about.
        let start = || ReplicaSet::builder().oplog_mib(OPLOG_MIB).start();
        let (source, destination) = tokio::join!(start(), start());
        let clusters = Self { source: source?, destination: destination? };
        clusters.fill(size).await?;
        Ok(clusters)
    }

    async fn fill(&self, size: u64) -> Result<(), LauncherError> {
        let template = "filling the source [{bar:32}] {msg}";
        let style = ProgressStyle::with_template(template).expect("the template is well-formed").progress_chars("=> ");
        let bar = ProgressBar::new(size * MIB).with_style(style);
        let client = self.source.client().await?;
        let show = |summary: SeedSummary| {
            bar.set_position(summary.bytes);
            bar.set_message(summary_text(summary));
        };
        let filled = seed::fill_with_progress(&client, SeedSize { mib: size }, show).await?;
        bar.finish_and_clear();
        eprintln!("filled the source: {}", summary_text(filled));
        Ok(())
    }

    /// An application at work on the source.
    pub async fn start_writers(&self, screen: &Screen) -> Result<Workload, LauncherError> {
        let options = WorkloadOptions {
            writers: NonZeroUsize::new(WRITERS).expect("there are writers"),
            operations_per_second: NonZeroU32::new(WRITES_PER_SECOND),
            ..WorkloadOptions::default()
        };
        let workload = Workload::start(self.source.client().await?, options).await?;
        screen.say(&format!("an application writes to the source: {WRITES_PER_SECOND} operations a second"));
        Ok(workload)
    }

    pub async fn shutdown(self) {
        tokio::join!(self.source.shutdown(), self.destination.shutdown());
    }
}

async fn provide_tools() -> Result<(), LauncherError> {
    eprintln!("looking for mongod and nats-server; what this machine lacks is fetched into ~/.cache/mongoferry/tools");
    let (mongod, nats_server) = tokio::join!(tools::find_mongod(tools::Mongod::Any), tools::find_nats_server(None));
    for (name, found) in [("mongod", mongod?), ("nats-server", nats_server?)] {
        eprintln!("  {name} {} at {}", found.version, found.path.display());
    }
    Ok(())
}

fn summary_text(summary: SeedSummary) -> String {
    format!(
        "{} in {} of {}",
        bytes_text(summary.bytes),
        counted(summary.documents, "document"),
        counted(summary.collections, "collection")
    )
}
