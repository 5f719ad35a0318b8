//! Every call of the API, each with what it takes and answers.

use axum::routing::{MethodRouter, get, post};
use mongoferry_protocol::{MigrationStatus, Report, Throttle, ValidationJob, ValidationReport};
use mongoferry_stage::Stage;
use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::{
    answers::Done,
    events, openapi, orders, page,
    progress::ProgressAnswer,
    start::{self, StartRequest},
    throttle, validations, views,
};
use crate::{
    board::Board,
    command::{Command, CommitOrder},
};

pub type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

pub struct Route {
    pub path: &'static str,
    pub method: Method,
    pub summary: &'static str,
    /// Needs no token.
    pub open: bool,
    /// Of the path or the query, with what it is.
    pub parameter: Option<Parameter>,
    /// The body, which may always be left out.
    pub request: Option<SchemaOf>,
    pub answer: Answer,
    pub handler: MethodRouter<Board>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
}

#[derive(Clone, Copy)]
pub struct Parameter {
    pub name: &'static str,
    pub place: &'static str,
    pub schema: SchemaOf,
    pub description: &'static str,
}

#[derive(Clone, Copy)]
pub enum Answer {
    Json(SchemaOf),
    /// Of this media type.
    Text(&'static str),
}

impl Method {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Post => "post",
        }
    }
}

fn schema_of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

impl Route {
    fn view<T: JsonSchema>(path: &'static str, summary: &'static str, handler: MethodRouter<Board>) -> Self {
        let answer = Answer::Json(schema_of::<T>);
        Self { path, method: Method::Get, summary, open: false, parameter: None, request: None, answer, handler }
    }

    fn text(path: &'static str, kind: &'static str, summary: &'static str, handler: MethodRouter<Board>) -> Self {
        Self { answer: Answer::Text(kind), ..Self::view::<()>(path, summary, handler) }
    }

    fn post<T: JsonSchema>(path: &'static str, summary: &'static str, handler: MethodRouter<Board>) -> Self {
        Self { method: Method::Post, ..Self::view::<T>(path, summary, handler) }
    }

    fn order(path: &'static str, command: Command, summary: &'static str) -> Self {
        Self::post::<Done>(path, summary, post(move |state| orders::order(state, command)))
    }

    fn taking<T: JsonSchema>(self) -> Self {
        Self { request: Some(schema_of::<T>), ..self }
    }

    fn with<T: JsonSchema>(self, name: &'static str, place: &'static str, description: &'static str) -> Self {
        Self { parameter: Some(Parameter { name, place, schema: schema_of::<T>, description }), ..self }
    }

    fn open(self) -> Self {
        Self { open: true, ..self }
    }
}

/// All of them but the files of the page, which `page.rs` lists.
pub fn routes(stage: &Stage) -> Vec<Route> {
    let metrics = stage.metrics.clone();
    let metrics = get(move || async move { metrics.render() });
    [orders(), views(), plain(metrics)].into_iter().flatten().collect()
}

fn orders() -> Vec<Route> {
    vec![
        Route::post::<Done>("/api/v1/start", "Begin, where a start is waited for.", post(start::start))
            .taking::<StartRequest>(),
        Route::order("/api/v1/pause", Command::Pause, "Let copying and applying rest; capturing the oplog goes on."),
        Route::order("/api/v1/resume", Command::Resume, "Go on after a pause or a failure."),
        Route::post::<Done>(
            "/api/v1/commit",
            "Cut over, once writes to the source have stopped.",
            post(orders::commit),
        )
        .taking::<CommitOrder>(),
        Route::order("/api/v1/extend", Command::Extend, "Keep the migration ready for 24 hours more."),
        Route::post::<Done>(
            "/api/v1/verify",
            "Compare again what is known to differ, and repair it if wanted; `comparison` of the migration tells how it goes.",
            post(orders::verify),
        )
        .taking::<orders::VerifyRequest>(),
        Route::order("/api/v1/cancel", Command::Cancel, "Give the migration up; what was copied stays."),
        Route::post::<Throttle>(
            "/api/v1/throttle",
            "Hold the copy back, over all copiers together; what is left out is not limited.",
            post(throttle::set),
        )
        .taking::<Throttle>(),
        Route::post::<ValidationJob>(
            "/api/v1/validations",
            "Have both clusters validated. While a validation is under way, that one is answered.",
            post(validations::request),
        ),
    ]
}

fn views() -> Vec<Route> {
    vec![
        Route::view::<ProgressAnswer>("/api/v1/progress", "The state in mongosync's words.", get(views::progress)),
        Route::view::<MigrationStatus>("/api/v1/migration", "Everything there is to know.", get(views::migration)),
        Route::view::<Report>("/api/v1/report", "The report; with `when=ended` at the end.", get(views::report))
            .with::<views::When>("when", "query", "Answer when the migration has ended or failed, not before."),
        Route::view::<ValidationReport>("/api/v1/validation", "What was found last.", get(views::validation)),
        Route::view::<validations::Validations>(
            "/api/v1/validations",
            "The validations that were asked for: the last one is kept.",
            get(validations::list),
        ),
        Route::view::<ValidationJob>(
            "/api/v1/validations/{id}",
            "A validation that was asked for.",
            get(validations::one),
        )
        .with::<u64>("id", "path", "The id that asking for it answered."),
        Route::text(
            "/api/v1/events",
            "text/event-stream",
            "Server-sent events: each Event as it happens, and `progress` every second.",
            get(events::follow),
        ),
        Route::view::<serde_json::Value>("/api/v1/openapi.json", "This document.", get(openapi::serve)),
    ]
}

fn plain(metrics: MethodRouter<Board>) -> Vec<Route> {
    let word = |word: &'static str| get(move || async move { word });
    vec![
        Route::text("/metrics", "text/plain", "Metrics for Prometheus.", metrics),
        Route::text("/healthz", "text/plain", "The process lives.", word("ok\n")).open(),
        Route::text("/readyz", "text/plain", "The process answers.", word("ready\n")).open(),
        Route::text("/", "text/html", "A page that shows the migration and takes its orders.", get(page::index)).open(),
    ]
}
