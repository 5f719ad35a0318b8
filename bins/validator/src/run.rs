//! The process: arguments, checks, output, exit code.

use std::{
    io::{IsTerminal, Write, stdout},
    process::ExitCode,
    time::Duration,
};

use mongoferry_bus::key;
use mongoferry_mongo::parse_uri;
use mongoferry_protocol::{Explain, Failure, Role, ValidationReport};
use mongoferry_stage::{SecretUri, SecretUriError, failure_text, start_logs, stop_on_signals};

use crate::{
    args::{Args, ReportFormat},
    bus_look::BusLook,
    check::with_causes,
    check_list,
    report_table::report_table,
    serve::serve,
    validate::{Request, validate},
};

const USAGE: u8 = 2;
const ERRORS_FOUND: u8 = 3;
const STOPPED: u8 = 130;

/// Runs the validator: 0 no errors, 3 errors found, 2 a malformed connection string or option, 1 the report could not be
/// stored, 130 stopped.
pub fn run() -> ExitCode {
    let (args, with_bus) = Args::parse_with_bus();
    if args.list_checks {
        print!("{}", check_list::markdown());
        return ExitCode::SUCCESS;
    }
    if args.serve {
        let stage_args = args.stage.clone();
        let work = Box::new(|stage| Box::pin(serve(stage, args)) as _);
        return mongoferry_stage::run(Role::Validator, stage_args, work);
    }
    start_logs(args.stage.log);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.expect("the operating system gives a process its threads");
    let code = runtime.block_on(until_stopped(&args, with_bus));
    // Standard input may still be read.
    runtime.shutdown_timeout(Duration::from_millis(100));
    code
}

async fn until_stopped(args: &Args, with_bus: bool) -> ExitCode {
    let stopping = match stop_on_signals(args.stage.stop_with_parent) {
        Ok(stopping) => stopping,
        Err(error) => {
            eprintln!("signals can't be received: {error}");
            return ExitCode::FAILURE;
        }
    };
    tokio::select! {
        code = run_checks(args, with_bus) => code,
        () = stopping.cancelled() => ExitCode::from(STOPPED),
    }
}

async fn run_checks(args: &Args, with_bus: bool) -> ExitCode {
    let (source, destination) = match uris(args) {
        Ok(uris) => uris,
        Err(code) => return code,
    };
    let may_drop_from = match args.drop.confirmed() {
        Ok(name) => name,
        Err(error) => return usage("options", &error),
    };
    let look = if with_bus { BusLook::at(&args.stage, args.look_only).await } else { BusLook::default() };
    let request = Request {
        source_uri: source.reveal(),
        destination_uri: destination.reveal(),
        own: with_bus.then_some(&args.stage.id),
        continuation: look.continuation.as_ref(),
        may_drop_from,
        bus_limits: look.limits,
        bus_directory: args.bus_directory.as_deref(),
    };
    let report = match validate(&request, look.findings).await {
        Ok(report) => report,
        Err(error) => return usage("connection string", &error),
    };
    if let Err(error) = print(&report, args.format) {
        eprintln!("the report could not be written: {error}");
        return ExitCode::FAILURE;
    }
    if let Some(bus) = look.bus
        && let Err(error) = bus.records().put(&key::validation(), &report).await
    {
        let instance = args.stage.instance.as_deref().unwrap_or_default();
        eprintln!("{}", failure_text(&Failure::of(Role::Validator, instance, &error)));
        return ExitCode::FAILURE;
    }
    if report.passed() { ExitCode::SUCCESS } else { ExitCode::from(ERRORS_FOUND) }
}

/// Both connection strings, well-formed; else the exit code, with the message on standard error.
fn uris(args: &Args) -> Result<(SecretUri, SecretUri), ExitCode> {
    Ok((checked("source", args.source.uri())?, checked("destination", args.destination.uri())?))
}

fn checked(which: &str, uri: Result<SecretUri, SecretUriError>) -> Result<SecretUri, ExitCode> {
    let uri = uri.map_err(|error| usage(which, &error))?;
    parse_uri(uri.reveal()).map_err(|error| usage(which, &error))?;
    Ok(uri)
}

fn usage(which: &str, error: &dyn Explain) -> ExitCode {
    eprintln!("{which}: {} [{}]\n  {}", with_causes(error), error.code(), error.hint());
    ExitCode::from(USAGE)
}

fn print(report: &ValidationReport, format: ReportFormat) -> std::io::Result<()> {
    let text = match format {
        ReportFormat::Table => report_table(report, stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none()),
        ReportFormat::Json => serde_json::to_string_pretty(report)? + "\n",
    };
    stdout().lock().write_all(text.as_bytes())
}
