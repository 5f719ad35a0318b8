//! Takes out of a text what is nobody else's business: secrets, and values of documents. Pure, but for where it learns what
//! the secrets are. In doubt it takes out too much.

use serde_json::Value;

const GONE: &str = "(left out)";
/// Shorter ones would be found in every other word.
const SHORTEST_SECRET: usize = 4;
/// Members of our answers that are an `_id`.
const VALUES: [&str; 1] = ["item"];

pub struct Redactor {
    /// To be taken out wherever they stand.
    secrets: Vec<String>,
}

impl Redactor {
    /// Knows the secrets that this process was given.
    pub fn of_environment(token: Option<&str>) -> Self {
        let value = |name| std::env::var(name).unwrap_or_default();
        let mut secrets = vec![
            token.unwrap_or_default().to_owned(),
            value("MONGOFERRY_NATS_PASSWORD"),
            value("MONGOFERRY_WEBHOOK_SECRET"),
        ];
        for name in ["MONGOFERRY_SOURCE", "MONGOFERRY_DESTINATION", "MONGOFERRY_NATS"] {
            secrets.extend(password(&value(name)));
        }
        Self::knowing(secrets)
    }

    fn knowing(mut secrets: Vec<String>) -> Self {
        secrets.retain(|secret| secret.len() >= SHORTEST_SECRET);
        Self { secrets }
    }

    /// Line by line; a line of JSON as such.
    pub fn text(&self, text: &str) -> String {
        let redacted = |line: &str| match serde_json::from_str::<Value>(line) {
            Ok(value @ Value::Object(_)) => self.value(value).to_string(),
            _ => self.line(line),
        };
        let mut lines: Vec<String> = text.lines().map(redacted).collect();
        if text.ends_with('\n') {
            lines.push(String::new());
        }
        lines.join("\n")
    }

    /// Of what has no documents in it: without secrets alone.
    pub fn figures(&self, text: &str) -> String {
        text.lines().map(|line| without_credentials(&self.without_secrets(line)) + "\n").collect()
    }

    pub fn json(&self, text: &str) -> String {
        match serde_json::from_str(text) {
            Ok(value) => format!("{:#}\n", self.value(value)),
            Err(_) => self.text(text),
        }
    }

    fn value(&self, value: Value) -> Value {
        match value {
            Value::String(text) => {
                Value::String(text.lines().map(|line| self.line(line)).collect::<Vec<_>>().join("\n"))
            }
            Value::Array(items) => items.into_iter().map(|item| self.value(item)).collect(),
            Value::Object(members) => Value::Object(
                members
                    .into_iter()
                    .map(|(name, member)| {
                        let is_value = VALUES.contains(&name.as_str()) && !member.is_null();
                        let member = if is_value { GONE.into() } else { self.value(member) };
                        (name, member)
                    })
                    .collect(),
            ),
            plain => plain,
        }
    }

    fn line(&self, line: &str) -> String {
        without_documents(&without_credentials(&self.without_secrets(line)))
    }

    fn without_secrets(&self, line: &str) -> String {
        self.secrets.iter().fold(line.to_owned(), |line, secret| line.replace(secret, GONE))
    }
}

/// `scheme://user:password@host` without what is before the `@`, and options that hold passwords without their values.
fn without_credentials(line: &str) -> String {
    let mut shown = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("://") {
        shown += before;
        shown += "://";
        let end = after.find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>')).unwrap_or(after.len());
        let (address, behind) = after.split_at(end);
        let address = match address.rsplit_once('@') {
            Some((_, host)) => format!("{GONE}@{host}"),
            None => address.to_owned(),
        };
        shown += &without_password_options(&address);
        rest = behind;
    }
    shown + rest
}

fn without_password_options(address: &str) -> String {
    let option = |option: &str| match option.split_once('=') {
        Some((name, _))
            if name.to_lowercase().contains("password") || name.to_lowercase().contains("authmechanismprop") =>
        {
            format!("{name}={GONE}")
        }
        _ => option.to_owned(),
    };
    address.split('&').map(option).collect::<Vec<_>>().join("&")
}

/// Documents as servers and drivers print them, `{ email: "…" }`, values of theirs, `String("…")`, and what stands in quotes:
/// a document's `_id` may. The fields of a log line, `name="…"`, are looked into.
fn without_documents(line: &str) -> String {
    let mut shown = String::new();
    let mut inside = Inside::default();
    let mut in_field = false;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        if inside.depth > 0 {
            inside.take(c);
            continue;
        }
        match c {
            '"' if in_field => {
                in_field = false;
                shown.push(c);
            }
            '"' if shown.ends_with('=') => {
                in_field = true;
                shown.push(c);
            }
            '"' => {
                shown += "\"…\"";
                skip_quoted(&mut chars, false);
            }
            '\\' if chars.next_if_eq(&'"').is_some() => {
                shown += "\\\"…\\\"";
                skip_quoted(&mut chars, true);
            }
            '{' => {
                shown += "{…}";
                inside.depth = 1;
            }
            '(' if is_type(&shown) => {
                shown += "(…)";
                inside.depth = 1;
            }
            c => shown.push(c),
        }
    }
    without_first_id(&shown)
}

/// Up to the end of what is quoted; `escaped` if its quotes are, as they are within a field.
fn skip_quoted(chars: &mut std::iter::Peekable<std::str::Chars<'_>>, escaped: bool) {
    let mut backslashes = 0;
    for c in chars {
        if c == '"' && backslashes == usize::from(escaped) {
            return;
        }
        backslashes = if c == '\\' { backslashes + 1 } else { 0 };
    }
}

/// An `_id` that is a number is not quoted where the first of many documents is named.
fn without_first_id(line: &str) -> String {
    let Some((before, rest)) = line.split_once(", the first ") else { return line.to_owned() };
    match rest.split_once(" of ") {
        Some((_, behind)) => format!("{before}, the first {GONE} of {behind}"),
        None => line.to_owned(),
    }
}

/// How deep in a document, and whether in one of its strings.
#[derive(Default)]
struct Inside {
    depth: u32,
    in_string: bool,
    escaped: bool,
}

impl Inside {
    fn take(&mut self, c: char) {
        let escaped = std::mem::take(&mut self.escaped);
        match c {
            '\\' if self.in_string && !escaped => self.escaped = true,
            '"' if !escaped => self.in_string = !self.in_string,
            '{' | '(' if !self.in_string => self.depth += 1,
            '}' | ')' if !self.in_string => self.depth -= 1,
            _ => {}
        }
    }
}

fn is_type(shown: &str) -> bool {
    const TYPES: [&str; 16] = [
        "String",
        "ObjectId",
        "Int32",
        "Int64",
        "Double",
        "Boolean",
        "Binary",
        "DateTime",
        "Symbol",
        "RegularExpression",
        "Decimal128",
        "NumberLong",
        "NumberDecimal",
        "ISODate",
        "UUID",
        "BinData",
    ];
    TYPES.iter().any(|name| shown.ends_with(name))
}

/// Of a connection string, as it stands there and as it is meant.
fn password(uri: &str) -> Vec<String> {
    let authority = uri.split_once("://").map_or("", |(_, rest)| rest);
    let Some((credentials, _)) = authority.split('/').next().and_then(|authority| authority.rsplit_once('@')) else {
        return Vec::new();
    };
    let Some((_, password)) = credentials.split_once(':') else { return Vec::new() };
    vec![password.to_owned(), percent_decoded(password)]
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut parts = text.split('%');
    bytes.extend(parts.next().unwrap_or_default().bytes());
    for part in parts {
        match part.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                bytes.extend(part[2..].bytes());
            }
            None => bytes.extend([b"%", part.as_bytes()].concat()),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::{Redactor, password};

    #[test]
    fn secrets_and_values_go_and_names_stay() {
        let redactor = Redactor::knowing(vec!["hunter22".into(), "abc".into()]);
        for (line, shown) in [
            (
                "connect to mongodb://ann:p@ss@a:1,b:2/?tls=true now",
                "connect to mongodb://(left out)@a:1,b:2/?tls=true now",
            ),
            (
                "at mongodb://a/?x=1&tlsCertificateKeyFilePassword=q",
                "at mongodb://a/?x=1&tlsCertificateKeyFilePassword=(left out)",
            ),
            ("the token hunter22 of abc", "the token (left out) of abc"),
            (
                "E11000 index: email_1 dup key: { email: \"a}b\" } in shop.users",
                "E11000 index: email_1 dup key: {…} in shop.users",
            ),
            (
                "_id String(\"x\") and ObjectId('12') of shop.orders (2 ranges)",
                "_id String(…) and ObjectId(…) of shop.orders (2 ranges)",
            ),
            ("3 documents differ, the first \"x@y\" of shop.a", "3 documents differ, the first (left out) of shop.a"),
            ("3 documents differ, the first 42 of shop.a", "3 documents differ, the first (left out) of shop.a"),
            (
                "ended instance=\"a-1\" why=\"the _id \\\"x@y\\\" is there\"",
                "ended instance=\"a-1\" why=\"the _id \\\"…\\\" is there\"",
            ),
            ("the value \"x\" is no number", "the value \"…\" is no number"),
            ("broken { a: \"b", "broken {…}"),
            (
                r#"{"level":"WARN","fields":{"message":"dup key: { a: 1 }"}}"#,
                r#"{"fields":{"message":"dup key: {…}"},"level":"WARN"}"#,
            ),
        ] {
            assert_eq!(redactor.text(line), shown);
        }
        let json = redactor.json(r#"{"namespace": "a.b", "item": "{\"$oid\": \"1\"}", "next": {"item": null}}"#);
        assert_eq!(
            json.split_whitespace().collect::<String>(),
            r#"{"item":"(leftout)","namespace":"a.b","next":{"item":null}}"#
        );
    }

    #[test]
    fn passwords_are_known_in_both_spellings() {
        assert_eq!(password("mongodb://ann:p%40ss@a:1/db?x=y"), ["p%40ss", "p@ss"]);
        assert!(password("mongodb://a:1/").is_empty() && password("").is_empty());
    }
}
