//! Whether a value fits a JSON schema: as much of it as the API's document uses.

use serde_json::Value;

/// What does not fit, by its place in the value; a member that the schema does not name is one too. `document` holds what
/// is referred to.
pub fn misfits(document: &Value, schema: &Value, value: &Value, place: &str) -> Vec<String> {
    if let Some(name) = schema["$ref"].as_str() {
        let target = document.pointer(name.trim_start_matches('#')).unwrap_or_else(|| panic!("{name} is not there"));
        return misfits(document, target, value, place);
    }
    for word in ["anyOf", "oneOf"] {
        if let Some(choices) = schema[word].as_array() {
            let fits = choices.iter().any(|choice| misfits(document, choice, value, place).is_empty());
            return if fits { Vec::new() } else { vec![format!("{place}: {value} is none of {choices:?}")] };
        }
    }
    let mut found = Vec::new();
    if !has_type(&schema["type"], value) {
        found.push(format!("{place}: {value} is no {}", schema["type"]));
    }
    if schema["enum"].as_array().is_some_and(|allowed| !allowed.contains(value)) {
        found.push(format!("{place}: {value} is not in {}", schema["enum"]));
    }
    if !schema["const"].is_null() && schema["const"] != *value {
        found.push(format!("{place}: {value} is not {}", schema["const"]));
    }
    for required in schema["required"].as_array().into_iter().flatten() {
        let name = required.as_str().expect("is a name");
        if value.is_object() && value.get(name).is_none() {
            found.push(format!("{place}: {name} is missing"));
        }
    }
    if let (Some(members), Some(properties)) = (value.as_object(), schema["properties"].as_object()) {
        for (name, member) in members {
            match properties.get(name) {
                Some(schema) => found.extend(misfits(document, schema, member, &format!("{place}/{name}"))),
                None => found.push(format!("{place}: {name} is not in the schema")),
            }
        }
    }
    for (number, item) in value.as_array().into_iter().flatten().enumerate() {
        found.extend(misfits(document, &schema["items"], item, &format!("{place}/{number}")));
    }
    found
}

fn has_type(wanted: &Value, value: &Value) -> bool {
    let is = |wanted: &str| match wanted {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("a type {other:?} is not known"),
    };
    match wanted {
        Value::Null => true,
        Value::String(wanted) => is(wanted),
        Value::Array(wanted) => wanted.iter().any(|wanted| is(wanted.as_str().expect("is a name"))),
        other => panic!("{other} is no type"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::misfits;

    #[test]
    fn what_does_not_fit_is_found() {
        let schema = json!({"type": "object", "required": ["a"], "properties": {
            "a": {"type": ["integer", "null"]},
            "b": {"type": "array", "items": {"$ref": "#/c"}},
        }});
        let document = json!({"c": {"anyOf": [{"const": "x"}, {"type": "boolean"}]}});
        for (value, count) in [
            (json!({"a": null, "b": ["x", true]}), 0),
            (json!({"b": []}), 1),
            (json!({"a": "1", "b": ["y"]}), 2),
            (json!({"a": 1, "d": 1}), 1),
            (json!([]), 1),
        ] {
            assert_eq!(misfits(&document, &schema, &value, "").len(), count, "{value}");
        }
    }
}
