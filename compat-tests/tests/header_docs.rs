//! Aim: the headers' comments are the documentation of the C functions: each names every parameter (`\param`), its
//! direction, and what the function answers (`\return`).

use daos_export::build::TABLE;
use std::collections::BTreeMap;
use std::path::Path;

/// Libraries whose functions are checked.
const LIBRARIES: [&str; 3] = ["libdaos", "libdaos_common", "libgurt"];

/// A function as a header declares it.
struct Declared {
    comment: String,
    returns: bool,
    parameters: Vec<String>,
}

/// The declaration of `name`, with the comment right before it.
fn declared(text: &str, name: &str) -> Option<Declared> {
    let at = text.match_indices(name).map(|(at, _)| at).find(|at| {
        let before = text[..*at].chars().next_back();
        let behind = text[at + name.len()..].trim_start();
        // A declaration starts at a line's start: a mention in a comment or a call does not have a type before it.
        let line = text[..*at].rfind('\n').map_or(0, |end| end + 1);
        let starts = text[line..].starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        behind.starts_with('(') && starts && before.is_some_and(|c| !c.is_alphanumeric() && c != '_')
    })?;
    let start = text[..at].rfind([';', '}', '/', '{']).map_or(0, |end| end + 1);
    let c_type = text[start..at].trim();
    let comment = match text[..start].ends_with("*/") {
        true => text[text[..start].rfind("/**").unwrap_or(start)..start].to_owned(),
        false => String::new(),
    };
    let open = at + text[at..].find('(')?;
    let parameters = between(&text[open + 1..]).into_iter().filter_map(|p| parameter_name(&p)).collect();
    let returns = c_type.split_whitespace().next_back() != Some("void");
    Some(Declared { comment, returns, parameters })
}

/// The parameters up to the closing parenthesis.
fn between(text: &str) -> Vec<String> {
    let (mut depth, mut parameters) = (0, vec![String::new()]);
    for c in text.chars() {
        match c {
            ')' if depth == 0 => break,
            ',' if depth == 0 => parameters.push(String::new()),
            _ => {
                depth += i32::from(c == '(') - i32::from(c == ')');
                parameters.last_mut().expect("never empty").push(c);
            }
        }
    }
    parameters
}

fn parameter_name(parameter: &str) -> Option<String> {
    let parameter = parameter.trim();
    // A pointer to a function has its name inside.
    let named = match parameter.split_once("(*") {
        Some((_, rest)) => rest.split(')').next()?,
        None => parameter.split('[').next()?,
    };
    let name = named.rsplit(|c: char| !c.is_alphanumeric() && c != '_').find(|word| !word.is_empty())?;
    (parameter != "void" && parameter != "...").then(|| name.to_owned())
}

/// What a comment lacks.
fn lacks(declared: &Declared) -> Vec<String> {
    let has = |name: &String| {
        declared.comment.lines().any(|line| {
            line.split_once("\\param[").and_then(|(_, rest)| rest.split_once(']')).is_some_and(|(direction, rest)| {
                matches!(direction, "in" | "out" | "in,out") && rest.split_whitespace().next() == Some(name)
            })
        })
    };
    let mut lacks: Vec<String> = declared.parameters.iter().filter(|name| !has(name)).cloned().collect();
    if declared.returns && !declared.comment.contains("\\return") {
        lacks.push("\\return".to_owned());
    }
    lacks
}

#[test]
fn every_function_tells_its_parameters_and_answers() {
    let include = Path::new(env!("CARGO_MANIFEST_DIR")).join("../include");
    let mut texts: BTreeMap<&str, String> = BTreeMap::new();
    let (mut wanting, mut checked): (BTreeMap<&str, Vec<String>>, usize) = (BTreeMap::new(), 0);
    for line in TABLE.lines().skip(1) {
        let column: Vec<&str> = line.split('\t').collect();
        let (header, library, source_name, kind) = (column[0], column[1], column[3], column[4]);
        // The table has a few symbols that no header declares.
        if kind != "function" || !LIBRARIES.contains(&library) || !header.ends_with(".h") {
            continue;
        }
        let text = texts.entry(header).or_insert_with(|| {
            std::fs::read_to_string(include.join(header)).unwrap_or_else(|error| panic!("{header}: {error}"))
        });
        let linked = declared(text, column[2]).or_else(|| declared(text, source_name));
        let declared = linked.unwrap_or_else(|| panic!("{header} does not declare {source_name}"));
        checked += 1;
        let lacks = lacks(&declared);
        if !lacks.is_empty() {
            wanting.entry(header).or_default().push(format!("{source_name}: {}", lacks.join(", ")));
        }
    }
    assert!(checked > 400, "only {checked} functions found");
    let shown: Vec<String> =
        wanting.iter().map(|(header, lines)| format!("{header}:\n  {}", lines.join("\n  "))).collect();
    assert!(wanting.is_empty(), "functions without a whole comment\n{}", shown.join("\n"));
}
