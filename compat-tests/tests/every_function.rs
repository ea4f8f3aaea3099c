//! Aim: no function of libdaos, libdaos_common and libgurt is without a test that calls it: its name stands in a C
//! program, in a model's calls, or in unit tests. (The crash test calls all of them, but does not look at what they do.)

use daos_export::build::TABLE;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const LIBRARIES: [&str; 3] = ["libdaos", "libdaos_common", "libgurt"];

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "c" || extension == "rs") {
            found.push(path);
        }
    }
}

/// What of a file are tests: a C program, a model, or what follows the mark of unit tests.
fn tests_of(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let is_program = path.extension().is_some_and(|extension| extension == "c");
    if is_program || path.components().any(|part| part.as_os_str() == "models") {
        return text;
    }
    text.find("#[cfg(test)]").map_or(String::new(), |at| text[at..].to_owned())
}

#[test]
fn every_function_is_called_by_a_test() {
    let tree = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut sources = Vec::new();
    for folder in ["compat-tests/c", "compat-tests/abi", "compat-tests/src/models", "libdaos", "demo"] {
        files(&tree.join(folder), &mut sources);
    }
    // A library's own C sources are no tests.
    sources.retain(|path| !path.ends_with("gurt/src/variadic.c"));
    let texts: Vec<String> = sources.iter().map(|path| tests_of(path)).collect();
    let words: BTreeSet<&str> =
        texts.iter().flat_map(|text| text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')).collect();
    let mut without = Vec::new();
    let mut checked = 0;
    for line in TABLE.lines().skip(1) {
        let column: Vec<&str> = line.split('\t').collect();
        let (library, symbol, source_name, kind) = (column[1], column[2], column[3], column[4]);
        if kind != "function" || !LIBRARIES.contains(&library) {
            continue;
        }
        checked += 1;
        // daos_pool_connect2 is written daos_pool_connect.
        let names = [symbol, source_name, symbol.strip_suffix('2').unwrap_or(symbol)];
        if !names.iter().any(|name| words.contains(name)) {
            without.push(symbol);
        }
    }
    assert!(checked > 500, "only {checked} functions found");
    assert!(without.is_empty(), "{} functions that no test calls: {}", without.len(), without.join(" "));
}
