//! The tables of `compat-tests/abi`, read into lines that are easy to turn into C.

use serde_json::Value;
use std::fs;
use std::path::Path;

/// Lines of a tab-separated table, without its heading.
pub fn read_table(path: &Path) -> Result<Vec<Vec<String>>, String> {
    let text = fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    Ok(text.lines().skip(1).map(|line| line.split('\t').map(str::to_owned).collect()).collect())
}

/// A JSON document.
pub fn read_json(path: &Path) -> Result<Value, String> {
    let text = fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    serde_json::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))
}

/// A member of a record, nested ones by their path.
#[derive(Debug)]
pub struct Member {
    /// `ev_private.space`
    pub path: String,
    /// The type as C, where it has a name.
    pub c_type: Option<String>,
    /// Bytes from the start of the outermost record.
    pub offset: u64,
    /// Bytes; none for flexible arrays and bit fields.
    pub size: Option<u64>,
    /// (bits from the start of the outermost record, width) of a bit field.
    pub bits: Option<(u64, u64)>,
}

/// The members of a record of `structs.json`, without those of types that belong to the C library.
pub fn members(record: &Value) -> Vec<Member> {
    let mut found = Vec::new();
    collect(record, "", &mut found);
    found
}

fn collect(record: &Value, prefix: &str, found: &mut Vec<Member>) {
    for field in record["fields"].as_array().into_iter().flatten() {
        let name = field["name"].as_str().unwrap_or_default();
        let c_type = field["type"].as_str().unwrap_or_default();
        let unnamed_type = c_type.contains("<anonymous");
        let path = if name.is_empty() { prefix.trim_end_matches('.').to_owned() } else { format!("{prefix}{name}") };
        if !name.is_empty() {
            let bits = field["bit_width"].as_u64().zip(field["bit_offset"].as_u64()).map(|(width, at)| (at, width));
            let sized = bits.is_none() && field["flexible_array"].as_bool() != Some(true);
            let comparable = sized && !unnamed_type && !c_type.starts_with("_Atomic");
            found.push(Member {
                path: path.clone(),
                c_type: comparable.then(|| c_type.to_owned()),
                offset: field["offset"].as_u64().unwrap_or(0),
                size: field["size"].as_u64().filter(|_| sized),
                bits,
            });
        }
        if unnamed_type {
            let prefix = if path.is_empty() { String::new() } else { format!("{path}.") };
            collect(field, &prefix, found);
        }
    }
}

/// Parameter types of a prototype, from parameters with or without names.
pub fn parameter_types(parameters: &str) -> String {
    let mut types = Vec::new();
    let mut depth = 0;
    let mut current = String::new();
    for c in parameters.chars().chain([',']) {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            ',' if depth == 0 => {
                types.push(without_name(current.trim()));
                current.clear();
                continue;
            }
            _ => {}
        }
        current.push(c);
    }
    types.join(", ")
}

fn without_name(parameter: &str) -> String {
    let name_at = parameter.rfind(|c: char| !(c.is_alphanumeric() || c == '_')).map_or(0, |i| i + 1);
    let (kind, name) = parameter.split_at(name_at);
    let kind = kind.trim();
    let is_type = matches!(name, "" | "int" | "long" | "char" | "void" | "double" | "uuid_t");
    let tag = matches!(kind, "" | "struct" | "enum" | "union" | "const" | "unsigned");
    if is_type || tag { parameter.to_owned() } else { kind.to_owned() }
}
