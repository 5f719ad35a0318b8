//! POST /api/v1/start, with what mongosync's users send along: accepted where this migration is so already.

use axum::{body::Bytes, extract::State, response::Response};
use mongoferry_protocol::MigrationSettings;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{answers, orders};
use crate::{board::Board, command::Command, settings::label};

/// Says nothing that the coordinator's own options have not said; hints on how to copy change nothing.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct StartRequest {
    /// `cluster0`, the name of the source's replica set, or how the status names the source.
    source: Option<String>,
    /// `cluster1`, and the like.
    destination: Option<String>,
    reversible: bool,
    /// `none` or `false`.
    enable_user_write_blocking: Option<Value>,
    /// `afterDataCopy`.
    build_indexes: Option<String>,
    include_namespaces: Vec<Value>,
    exclude_namespaces: Vec<Value>,
    namespace_remap: Vec<Value>,
    pre_existing_destination_data: bool,
    verification: Option<VerificationRequest>,
    detect_random_id: Option<Value>,
    copy_in_natural_order: Option<Value>,
    create_supporting_indexes: Option<Value>,
    sharding: Option<Value>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct VerificationRequest {
    enabled: bool,
}

pub async fn start(state: State<Board>, body: Bytes) -> Response {
    let request = if body.is_empty() { Ok(StartRequest::default()) } else { serde_json::from_slice(&body) };
    let request: StartRequest = match request {
        Ok(request) => request,
        Err(error) => return answers::not_understood(&error),
    };
    let Some(led) = state.led() else { return answers::standing_by() };
    match contradiction(&request, &led.settings) {
        Some(contradiction) => answers::contradicts(&contradiction),
        None => orders::order(state, Command::Start).await,
    }
}

/// The first member of the request that this migration does not fit, with the reason.
fn contradiction(request: &StartRequest, settings: &MigrationSettings) -> Option<String> {
    let names = |name: &Option<String>, numbered: &str, cluster: &mongoferry_protocol::ClusterIdentity| {
        name.as_ref().is_none_or(|name| *name == numbered || *name == cluster.replica_set || *name == label(cluster))
    };
    let absent = |value: &Option<Value>| matches!(value, None | Some(Value::Null | Value::Bool(false)));
    let is_none = |value: &Option<Value>| value.as_ref().and_then(Value::as_str) == Some("none");
    let rules = [
        (!names(&request.source, "cluster0", &settings.source), "source: this migration has another one"),
        (
            !names(&request.destination, "cluster1", &settings.destination),
            "destination: this migration has another one",
        ),
        (request.reversible, "reversible: there is no way back through mongoferry"),
        (
            !absent(&request.enable_user_write_blocking) && !is_none(&request.enable_user_write_blocking),
            "enableUserWriteBlocking: it is no matter of the start",
        ),
        (
            request.build_indexes.as_deref().is_some_and(|when| when != "afterDataCopy"),
            "buildIndexes: indexes are built behind the copy of each collection",
        ),
        (!request.include_namespaces.is_empty(), "includeNamespaces: everything is migrated"),
        (!request.exclude_namespaces.is_empty(), "excludeNamespaces: everything is migrated"),
        (!request.namespace_remap.is_empty(), "namespaceRemap: names stay as they are"),
        (request.pre_existing_destination_data, "preExistingDestinationData: no namespace may stand on both sides"),
        (!absent(&request.sharding), "sharding: the destination is a replica set"),
        (
            request.verification.as_ref().is_some_and(|verification| verification.enabled != settings.verify),
            "verification: the coordinator's options say otherwise (--no-verify)",
        ),
    ];
    rules.into_iter().find(|(contradicts, _)| *contradicts).map(|(_, reason)| reason.to_owned())
}

#[cfg(test)]
mod tests {
    use mongoferry_protocol::{ClusterIdentity, CutoverMode, MigrationSettings};
    use serde_json::{Value, json};

    use super::{StartRequest, contradiction};

    fn refusal(body: Value) -> Option<String> {
        let cluster = |replica_set: &str| ClusterIdentity {
            replica_set: replica_set.into(),
            replica_set_id: None,
            hosts: vec![format!("{replica_set}:1")],
            version: "6.0.5".into(),
        };
        let settings = MigrationSettings {
            id: "a".parse().unwrap(),
            source: cluster("rs0"),
            destination: cluster("rs1"),
            cutover: CutoverMode::Manual,
            cutover_limit_ms: 600_000,
            verify: true,
            lanes: 4,
            created_at_ms: 0,
        };
        let request: StartRequest = serde_json::from_value(body).unwrap();
        contradiction(&request, &settings)
    }

    #[test]
    fn what_is_so_already_is_accepted_and_the_rest_named() {
        for body in [
            json!({}),
            json!({"source": "cluster0", "destination": "cluster1"}),
            json!({"source": "rs0/rs0:1", "destination": "rs1", "reversible": false, "enableUserWriteBlocking": "none"}),
            json!({"buildIndexes": "afterDataCopy", "detectRandomId": true, "verification": {"enabled": true}}),
        ] {
            assert_eq!(refusal(body.clone()), None, "{body}");
        }
        for (body, named) in [
            (json!({"source": "cluster1"}), "source"),
            (json!({"destination": "cluster0"}), "destination"),
            (json!({"reversible": true}), "reversible"),
            (json!({"enableUserWriteBlocking": true}), "enableUserWriteBlocking"),
            (json!({"includeNamespaces": [{"database": "a"}]}), "includeNamespaces"),
            (json!({"verification": {"enabled": false}}), "verification"),
        ] {
            assert!(refusal(body.clone()).is_some_and(|reason| reason.starts_with(named)), "{body}");
        }
        assert!(serde_json::from_value::<StartRequest>(json!({"soruce": "cluster0"})).is_err());
    }
}
