//! Logs on standard error and the recorder of metrics.

use std::io::IsTerminal;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

use crate::LogFormat;

/// Without buckets the exporter renders histograms as summaries, which no dashboard can aggregate. Seconds.
const DURATION_BUCKETS: [f64; 12] = [0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0, 600.0];

/// Starts logging. `RUST_LOG` overrides the level (default: info for mongoferry, warnings of the libraries).
pub fn start_logs(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn,mongoferry=info"));
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // An error means that a subscriber stands already (a test's): then that one is used.
    let _ = match format {
        LogFormat::Human => logs.with_target(false).with_ansi(std::io::stderr().is_terminal()).try_init(),
        LogFormat::Json => logs.json().try_init(),
    };
}

/// Installs the process-wide recorder and returns the handle that renders it.
pub fn start_metrics() -> PrometheusHandle {
    let builder = PrometheusBuilder::new().set_buckets(&DURATION_BUCKETS).expect("the list of buckets is not empty");
    builder.install_recorder().expect("a process installs its recorder once")
}
