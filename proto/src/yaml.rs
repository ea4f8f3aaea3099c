//! Reading a configuration file strictly: an unknown or wrong key is an error that names file, line, key and what was
//! expected.
//!
//! The daemons and tools give the shape (serde structures that deny unknown fields) and check the meaning themselves,
//! with [`error_at`] and [`line_of`] for their own messages.

use daos_common::{Der, Error, Result};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_saphyr::Spanned;
use std::path::Path;

/// A value that may be absent, with its place when it is there.
pub type Key<T> = Option<Spanned<T>>;

/// `transport_config` of an agent or an administrator.
#[derive(Debug, Deserialize, Default)]
#[serde(deny_unknown_fields, default, expecting = "a mapping of transport_config keys")]
pub struct Transport {
    /// Go without encryption and authentication of components.
    pub allow_insecure: Key<bool>,
    /// Path of the certificate of the authority.
    pub ca_cert: Key<String>,
    /// Path of the component's certificate.
    pub cert: Key<String>,
    /// Path of the component's private key.
    pub key: Key<String>,
}

/// Parses YAML `text` that came from `path`.
///
/// # Errors
/// `INVAL` naming file, line, key, and what was expected.
pub fn parse<T: DeserializeOwned>(text: &str, path: &Path) -> Result<T> {
    serde_saphyr::from_str(text).map_err(|error| explain(&error, text, path))
}

/// An `INVAL` error at line `line` (0: unknown) of `path`.
pub fn error_at(path: &Path, line: u64, message: impl AsRef<str>) -> Error {
    let message = message.as_ref();
    Der::INVAL.err(match line {
        0 => format!("{}: {message}", path.display()),
        _ => format!("{} line {line}: {message}", path.display()),
    })
}

/// Line of a value.
pub fn line_of<T>(value: &Spanned<T>) -> u64 {
    value.referenced.line()
}

fn explain(error: &serde_saphyr::Error, text: &str, path: &Path) -> Error {
    use serde_saphyr::Error as E;
    let error = error.without_snippet();
    let line = error.location().map_or(0, |location| location.line());
    let key = key_on_line(text, line).map(|key| format!("key {key:?}: ")).unwrap_or_default();
    let message = match error {
        E::SerdeUnknownField { field, expected, .. } => unknown_key(field, expected),
        E::SerdeInvalidType { unexpected, expected, .. } => {
            format!("{key}expected {}, found {unexpected}", plain_type(expected))
        }
        E::SerdeInvalidValue { unexpected, expected, .. } => {
            format!("{key}expected {}, found {unexpected}", plain_type(expected))
        }
        E::InvalidScalar { ty, .. } => {
            let found = value_on_line(text, line).map(|value| format!(", found {value:?}")).unwrap_or_default();
            format!("{key}expected {}{found}", plain_type(ty))
        }
        E::Unexpected { expected, .. } => {
            let found = value_on_line(text, line).map(|value| format!(", found {value:?}")).unwrap_or_default();
            format!("{key}expected {}{found}", plain_type(expected))
        }
        E::DuplicateMappingKey { key: Some(key), .. } => format!("key {key:?} is given twice in the same mapping"),
        E::Eof { .. } => "the file is empty; a mapping of keys was expected".to_string(),
        other => {
            let text = other.to_string();
            // The library appends " at line L, column C"; the place stands in front already.
            let text = text.lines().next().unwrap_or_default();
            let text = text.strip_prefix("error: ").unwrap_or(text);
            let text = text.split(" at line ").next().unwrap_or(text);
            format!("{key}{text}")
        }
    };
    error_at(path, line, message)
}

/// The message for `field`, which isn't one of `allowed`.
fn unknown_key(field: &str, allowed: &[&'static str]) -> String {
    let list = allowed.join(", ");
    match nearest(field, allowed.iter().copied()) {
        Some(guess) => format!("unknown key {field:?}; did you mean {guess:?}? (keys allowed here: {list})"),
        None => format!("unknown key {field:?} (keys allowed here: {list})"),
    }
}

/// The candidate most like `word`, if one is near enough to be a slip of the pen.
pub fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // Two letters swapped count as two changes.
    let limit = if word.len() < 4 { 1 } else { (word.len() / 3).clamp(2, 3) };
    candidates
        .map(|candidate| (edit_distance(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Levenshtein distance by bytes, ignoring case.
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<u8> = b.bytes().map(|byte| byte.to_ascii_lowercase()).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, byte) in a.bytes().map(|byte| byte.to_ascii_lowercase()).enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for j in 0..b.len() {
            let change = diagonal + usize::from(byte != b[j]);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

/// What a Rust type is called in a message.
fn plain_type(ty: &str) -> String {
    match ty {
        "bool" | "a boolean" | "boolean" => "true or false".to_string(),
        "i64" | "integer" => "a whole number".to_string(),
        "u64" | "u32" => "a whole number, not negative".to_string(),
        "u8" => "a whole number from 0 to 255".to_string(),
        "a string" | "string" => "text".to_string(),
        "a sequence" | "sequence" | "sequence start" => "a list".to_string(),
        "mapping start" => "a mapping of keys".to_string(),
        "scalar" | "string scalar" => "a single value".to_string(),
        other => other.to_string(),
    }
}

/// The key of the `key: value` on a line, if the line has that form.
fn key_on_line(text: &str, line: u64) -> Option<&str> {
    let (key, _) = split_line(text, line)?;
    let plain = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    plain.then_some(key)
}

fn value_on_line(text: &str, line: u64) -> Option<&str> {
    let (_, value) = split_line(text, line)?;
    let value = value.split(" #").next().unwrap_or(value).trim();
    (!value.is_empty()).then_some(value)
}

fn split_line(text: &str, line: u64) -> Option<(&str, &str)> {
    let index = usize::try_from(line.checked_sub(1)?).ok()?;
    let content = text.lines().nth(index)?.trim_start_matches([' ', '-', '\t']);
    let (key, value) = content.split_once(':')?;
    Some((key.trim(), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize, Default)]
    #[serde(deny_unknown_fields, default, expecting = "a mapping of keys")]
    struct File {
        port: Key<u32>,
        access_points: Option<Vec<Spanned<String>>>,
        transport_config: Option<Transport>,
    }

    fn refusal(text: &str) -> String {
        parse::<File>(text, Path::new("a.yml")).unwrap_err().message().to_string()
    }

    /// Aim: each kind of mistake is named with file, line, key and what was expected.
    #[test]
    fn mistakes_are_named() {
        let good: File = parse("# x\nport: 7\naccess_points: [a, b]\n", Path::new("a.yml")).unwrap();
        assert_eq!(good.port.as_ref().map(|port| (port.value, line_of(port))), Some((7, 2)));
        assert_eq!(good.access_points.unwrap().len(), 2);
        assert!(good.transport_config.is_none());
        let unknown = refusal("port: 1\nacess_points: [a]\n");
        assert!(unknown.starts_with("a.yml line 2: unknown key \"acess_points\"; did you mean \"access_points\"?"));
        let kind = refusal("port: many\n");
        assert!(kind.starts_with("a.yml line 1: key \"port\": expected a whole number"), "{kind}");
        let nested = refusal("transport_config:\n  allow_insecure: perhaps\n");
        assert!(nested.contains("line 2") && nested.contains("true or false"), "{nested}");
        let twice = refusal("port: 1\nport: 2\n");
        assert!(twice.contains("twice"), "{twice}");
        assert!(refusal("access_points: {").starts_with("a.yml"));
    }
}
