//! GET /api/v1/openapi.json: the OpenAPI document, made of the list of calls and of the types they answer.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use mongoferry_protocol::Event;
use mongoferry_stage::Stage;
use schemars::{SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use super::{
    answers::Refusal,
    routes::{Answer, Route, routes},
};
use crate::board::Board;

pub async fn serve(State(board): State<Board>) -> Response {
    axum::Json(document(board.stage())).into_response()
}

fn document(stage: &Stage) -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut schemas = settings.for_serialize().into_generator();
    let refusal = schemas.subschema_for::<Refusal>().to_value();
    // Sent by webhooks and /api/v1/events, whose answers have no other schema.
    schemas.subschema_for::<Event>();
    let mut paths = Map::new();
    for route in routes(stage) {
        let call = call(&route, &mut schemas, &refusal);
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[route.method.as_str()] = call;
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "mongoferry",
            "description": "A live migration of one MongoDB replica set into another. Every call may be repeated: what is so already is no error.",
            "version": env!("CARGO_PKG_VERSION"),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "security": [{"token": []}, {}],
        "paths": paths,
        "components": {
            "schemas": schemas.take_definitions(true),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    })
}

fn call(route: &Route, schemas: &mut SchemaGenerator, refusal: &Value) -> Value {
    let answered = match route.answer {
        Answer::Json(schema) => json!({"application/json": {"schema": schema(schemas).to_value()}}),
        Answer::Text(kind) => json!({kind: {"schema": {"type": "string"}}}),
    };
    let mut call = json!({
        "summary": route.summary,
        "responses": {
            "200": {"description": "Done, or found.", "content": answered},
            "default": {"description": "Refused; with a code and what to do.", "content": {"application/json": {"schema": refusal}}},
        },
    });
    if route.open {
        call["security"] = json!([]);
    }
    if let Some(parameter) = route.parameter {
        call["parameters"] = json!([{
            "name": parameter.name,
            "in": parameter.place,
            "required": parameter.place == "path",
            "description": parameter.description,
            "schema": (parameter.schema)(schemas).to_value(),
        }]);
    }
    if let Some(request) = route.request {
        let schema = request(schemas).to_value();
        call["requestBody"] = json!({"required": false, "content": {"application/json": {"schema": schema}}});
    }
    call
}
