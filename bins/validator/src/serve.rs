//! A validator that stays: it carries out the validations that are asked for while the coordinator runs.
//!
//! ```text
//! bus ── ValidationJob ──▶ the checks ──▶ ValidationReport, then the job is done
//! ```
//!
//! Killed in the middle, it begins the job again.

use std::time::Duration;

use mongoferry_bus::{BusError, Versioned, key};
use mongoferry_mongo::parse_uri;
use mongoferry_protocol::{Phase, ValidationJob, ValidationReport, ValidationState};
use mongoferry_stage::{SecretUri, Stage, StageResult};

use crate::{
    args::Args,
    bus_look::BusLook,
    validate::{Request, validate},
};

/// Somebody who asks before the start waits for it.
const LOOK_BEFORE_START: Duration = Duration::from_millis(200);
const LOOK_LATER: Duration = Duration::from_secs(2);

struct Server {
    stage: Stage,
    args: Args,
    source: SecretUri,
    destination: SecretUri,
}

/// Until the process is stopped.
pub(crate) async fn serve(stage: Stage, args: Args) -> StageResult {
    let (source, destination) = (args.source.uri()?, args.destination.uri()?);
    for uri in [&source, &destination] {
        parse_uri(uri.reveal())?;
    }
    args.drop.confirmed()?;
    let server = Server { stage, args, source, destination };
    mongoferry_stage::retry(&server.stage, "validating on request", || server.serve_as_leader()).await?;
    Ok(())
}

impl Server {
    async fn serve_as_leader(&self) -> Result<(), BusError> {
        let Some(lease) = self.stage.lease().await? else { return Ok(()) };
        self.stage.ready.cancel();
        let outcome = tokio::select! {
            outcome = self.take_jobs() => outcome,
            error = lease.lost() => Err(error),
        };
        lease.release().await?;
        outcome
    }

    async fn take_jobs(&self) -> Result<(), BusError> {
        while !self.stage.stopping.is_cancelled() {
            self.stage.set_activity("waiting for a validation to be asked for");
            match self.stage.bus.records().get(&key::validation_job()).await? {
                Some(job) if job.value.is_under_way() => self.carry_out(job).await?,
                Some(_) | None => tokio::select! {
                    () = self.stage.stopping.cancelled() => {}
                    () = tokio::time::sleep(self.rest()) => {}
                },
            }
        }
        Ok(())
    }

    fn rest(&self) -> Duration {
        match self.stage.phases.current() {
            Some(record) if matches!(record.phase, Phase::Created | Phase::Validating) => LOOK_BEFORE_START,
            _ => LOOK_LATER,
        }
    }

    /// The report is stored before the job is done, so that whoever sees the end finds it.
    async fn carry_out(&self, job: Versioned<ValidationJob>) -> Result<(), BusError> {
        let (key, records) = (key::validation_job(), self.stage.bus.records());
        let running = ValidationJob { state: ValidationState::Running, ..job.value };
        let Some(revision) = records.update(&key, &running, job.revision).await? else { return Ok(()) };
        self.stage.set_activity(format!("validation {}", running.id));
        let report = tokio::select! {
            report = self.validate() => report,
            () = self.stage.stopping.cancelled() => return Ok(()),
        };
        tracing::info!(validation = running.id, passed = report.passed(), "validated");
        records.put(&key::validation(), &report).await?;
        let done = ValidationJob { state: ValidationState::Done, report: Some(report), ..running };
        records.update(&key, &done, revision).await.map(drop)
    }

    async fn validate(&self) -> ValidationReport {
        let look = BusLook::at(&self.args.stage, false).await;
        let request = Request {
            source_uri: self.source.reveal(),
            destination_uri: self.destination.reveal(),
            own: Some(&self.args.stage.id),
            continuation: look.continuation.as_ref(),
            may_drop_from: self.args.drop.confirmed().expect("was looked at before"),
            bus_limits: look.limits,
            bus_directory: self.args.bus_directory.as_deref(),
        };
        validate(&request, look.findings).await.expect("both connection strings were parsed before")
    }
}
