//! Extended JSON as raw BSON: every type, and every name as often as it stands there.

use std::fmt;

use bson::{Bson, RawArrayBuf, RawBson, RawDocumentBuf};
use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, SeqAccess, Visitor},
};

/// A document of extended JSON.
pub struct ExtendedJson(pub RawDocumentBuf);

enum Json {
    Object(Vec<(String, Json)>),
    Array(Vec<Json>),
    Scalar(serde_json::Value),
}

impl<'de> Deserialize<'de> for ExtendedJson {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Json::deserialize(deserializer)?.raw() {
            Ok(RawBson::Document(document)) => Ok(Self(document)),
            Ok(_) => Err(D::Error::custom("it is no document")),
            Err(error) => Err(D::Error::custom(error)),
        }
    }
}

/// An array of values, each as a document `{_id: value}`.
pub fn ids<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<RawDocumentBuf>, D::Error> {
    let values: Vec<Json> = Vec::deserialize(deserializer)?;
    let ids = values.into_iter().map(|value| {
        let mut id = RawDocumentBuf::new();
        id.append(bson::raw::cstr!("_id"), value.raw().map_err(D::Error::custom)?);
        Ok(id)
    });
    ids.collect()
}

impl Json {
    fn raw(&self) -> Result<RawBson, String> {
        match self {
            Self::Object(fields) if fields.first().is_some_and(|(name, _)| name.starts_with('$')) => {
                let value = serde_json::from_value::<Bson>(self.plain()).map_err(|error| error.to_string())?;
                match value {
                    Bson::Document(_) => document(fields),
                    value => RawBson::try_from(value).map_err(|error| error.to_string()),
                }
            }
            Self::Object(fields) => document(fields),
            Self::Array(items) => {
                let mut array = RawArrayBuf::new();
                for item in items {
                    array.push(item.raw()?);
                }
                Ok(RawBson::Array(array))
            }
            Self::Scalar(value) => {
                let value = serde_json::from_value::<Bson>(value.clone()).map_err(|error| error.to_string())?;
                RawBson::try_from(value).map_err(|error| error.to_string())
            }
        }
    }

    fn plain(&self) -> serde_json::Value {
        match self {
            Self::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), value.plain())).collect(),
            Self::Array(items) => items.iter().map(Self::plain).collect(),
            Self::Scalar(value) => value.clone(),
        }
    }
}

fn document(fields: &[(String, Json)]) -> Result<RawBson, String> {
    let mut document = RawDocumentBuf::new();
    for (name, value) in fields {
        let name = bson::raw::CString::try_from(name.as_str()).map_err(|error| error.to_string())?;
        document.append(name, value.raw()?);
    }
    Ok(RawBson::Document(document))
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = map.next_entry()? {
            fields.push(field);
        }
        Ok(Json::Object(fields))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut array = Vec::new();
        while let Some(item) = items.next_element()? {
            array.push(item);
        }
        Ok(Json::Array(array))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Scalar(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Scalar(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Scalar(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Json::Scalar(value.into()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Scalar(value.into()))
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Scalar(serde_json::Value::Null))
    }
}

#[cfg(test)]
mod tests {
    use bson::spec::ElementType::{Int32, Int64, MinKey};

    use super::ExtendedJson;

    #[test]
    fn types_and_duplicate_names_are_kept() {
        let text = r#"{"$set": {"x": {"$numberLong": "1"}, "x": {"$minKey": 1}, "y": [{"$numberInt": "1"}, 2]}}"#;
        let ExtendedJson(document) = serde_json::from_str(text).expect("a document");
        let set = document.get_document("$set").expect("a document");
        let types: Vec<_> = set.iter_elements().flatten().map(|element| element.element_type()).take(2).collect();
        assert_eq!(types, [Int64, MinKey]);
        let list = set.get_array("y").expect("an array");
        let types: Vec<_> = list.into_iter().flatten().map(|value| value.element_type()).collect();
        assert_eq!(types, [Int32, Int32]);
    }
}
