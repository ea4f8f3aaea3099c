//! The build-time half: the symbol table, the scan of a crate's sources, the stubs, the link arguments.
//!
//! Called by the build scripts of the cdylib crates and by the ABI check. Everything here panics on error: it runs
//! where a panic's message is the compiler's message.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use crate::Convention;

/// The table: one line per name of the public headers.
pub const TABLE: &str = include_str!("../../../compat-tests/abi/functions.tsv");

/// Sonames; the other libraries have none.
const SONAMES: [(&str, &str); 2] = [("libdaos", "libdaos.so.2"), ("libgurt", "libgurt.so.4")];

/// A symbol that a library exports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Symbol {
    /// The linked name.
    pub name: &'static str,
    /// What it is.
    pub kind: SymbolKind,
    /// Return type of a function or type of an object, as C.
    pub c_type: &'static str,
    /// Parameters, as C; empty for objects.
    pub parameters: &'static str,
    /// Whether an installed header declares it.
    pub declared: bool,
}

/// What a symbol is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SymbolKind {
    /// A function.
    Function,
    /// Another name for the function with "2" behind its name.
    WeakAlias,
    /// An object of that many bytes.
    Data(usize),
}

/// The symbols of a library, by name.
///
/// # Panics
/// When the table is malformed or doesn't know the library.
pub fn symbols(library: &str) -> BTreeMap<&'static str, Symbol> {
    let mut found = BTreeMap::new();
    for line in TABLE.lines().skip(1) {
        let column: Vec<&'static str> = line.split('\t').collect();
        let [header, exporter, name, _, kind, c_type, parameters, note] = column[..] else {
            panic!("functions.tsv: 8 columns expected: {line}");
        };
        if exporter != library {
            continue;
        }
        let kind = match kind {
            "function" => SymbolKind::Function,
            "weak alias symbol" => SymbolKind::WeakAlias,
            "data object" => SymbolKind::Data(
                note.strip_prefix("size ").and_then(|n| n.parse().ok()).unwrap_or_else(|| panic!("no size: {line}")),
            ),
            _ => continue,
        };
        found.insert(name, Symbol { name, kind, c_type, parameters, declared: header.ends_with(".h") });
    }
    assert!(!found.is_empty(), "functions.tsv has no symbol of {library}");
    found
}

/// How the `int` functions of a library answer.
pub fn convention(library: &str) -> Convention {
    if matches!(library, "libdfs" | "libduns") { Convention::Errno } else { Convention::Der }
}

/// The names that the sources under a folder export: functions in `export!` blocks and what follows `no_mangle`.
///
/// # Panics
/// When a source can't be read.
pub fn exported_names(sources: &Path) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut folders = vec![sources.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
        for entry in entries {
            let path = entry.expect("an entry of a folder").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
                names.extend(names_in(&text));
            }
        }
    }
    names
}

/// Functions that the sources export with `no_mangle` rather than `export!`, by name, with the path of their module.
///
/// # Panics
/// When a source can't be read.
fn unmacroed_functions(sources: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![(sources.to_path_buf(), "crate".to_owned())];
    while let Some((folder, module)) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
            let path = entry.expect("an entry of a folder").path();
            let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_owned();
            if path.is_dir() {
                folders.push((path, format!("{module}::{stem}")));
                continue;
            }
            let own = if matches!(stem.as_str(), "lib" | "mod") { module.clone() } else { format!("{module}::{stem}") };
            let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            let code = without_comments_and_strings(&text);
            for (at, _) in code.match_indices("no_mangle") {
                let rest = code[at..].split(['{', ';']).next().unwrap_or_default();
                let Some((_, name)) = rest.split_once(" fn ") else { continue };
                let name: String = name.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                if !name.is_empty() {
                    found.insert(name, own.clone());
                }
            }
        }
    }
    found
}

fn names_in(source: &str) -> BTreeSet<String> {
    let code = without_comments_and_strings(source);
    let mut names = BTreeSet::new();
    for (at, _) in code.match_indices("no_mangle") {
        let mut words =
            code[at..].split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$')).filter(|w| !w.is_empty());
        if words.by_ref().any(|w| w == "fn" || w == "static") {
            // (`$name` in a macro is no name.)
            names.extend(words.find(|w| *w != "mut").filter(|w| !w.starts_with('$')).map(str::to_owned));
        }
    }
    for marker in ["export!", "export_undeclared!"] {
        for (at, _) in code.match_indices(marker) {
            // The macros' own definitions have a bracket of another kind, or none, behind the name.
            let rest = code[at + marker.len()..].trim_start();
            if rest.starts_with('{') {
                names.extend(functions_at_depth_one(rest));
            }
        }
    }
    names
}

/// The functions directly inside the block that the text starts with.
fn functions_at_depth_one(block: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut depth = 0usize;
    let mut word = String::new();
    let mut after_fn = false;
    for c in block.chars() {
        if c.is_alphanumeric() || c == '_' {
            word.push(c);
            continue;
        }
        if depth == 1 && !word.is_empty() {
            // `fn(` is a function pointer type, `fn name(` a definition.
            if after_fn && c == '(' {
                names.push(word.clone());
            }
            after_fn = word == "fn" && c.is_whitespace();
        }
        word.clear();
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    names
}

/// The source with comments, strings and character literals blanked out.
fn without_comments_and_strings(source: &str) -> String {
    let text: Vec<char> = source.chars().collect();
    let mut out = String::with_capacity(source.len());
    let mut at = 0;
    while at < text.len() {
        let next = text.get(at + 1).copied();
        let end = match text[at] {
            '/' if next == Some('/') => (at..text.len()).find(|&i| text[i] == '\n').unwrap_or(text.len()),
            '/' if next == Some('*') => end_of_comment(&text, at),
            '"' => end_of_string(&text, at),
            'r' if next == Some('#') && text.get(at + 2) == Some(&'"') => end_of_raw_string(&text, at),
            '\'' if next == Some('\\') => (at + 3..text.len()).find(|&i| text[i] == '\'').map_or(text.len(), |i| i + 1),
            '\'' if text.get(at + 2) == Some(&'\'') => at + 3,
            c => {
                out.push(c);
                at += 1;
                continue;
            }
        };
        out.push(' ');
        at = end;
    }
    out
}

fn end_of_comment(text: &[char], start: usize) -> usize {
    (start + 2..text.len().saturating_sub(1))
        .find(|&i| text[i] == '*' && text[i + 1] == '/')
        .map_or(text.len(), |i| i + 2)
}

fn end_of_string(text: &[char], start: usize) -> usize {
    let mut at = start + 1;
    while at < text.len() && text[at] != '"' {
        at += if text[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}

fn end_of_raw_string(text: &[char], start: usize) -> usize {
    (start + 3..text.len().saturating_sub(1))
        .find(|&i| text[i] == '"' && text[i + 1] == '#')
        .map_or(text.len(), |i| i + 2)
}

/// What a library's crate implements and what is left to stubs.
#[derive(Debug)]
pub struct Survey {
    /// Names of the table that the sources define.
    pub implemented: BTreeSet<&'static str>,
    /// Functions of the table that they don't, in order: what answers "not implemented".
    pub missing: Vec<Symbol>,
    /// Names that the sources export and the table doesn't give to this library.
    pub foreign: BTreeSet<String>,
}

/// Compares the sources under a folder with the table.
pub fn survey(library: &str, sources: &Path) -> Survey {
    let symbols = symbols(library);
    let names = exported_names(sources);
    Survey {
        implemented: symbols.keys().copied().filter(|name| names.contains(*name)).collect(),
        missing: (symbols.values())
            .filter(|s| s.kind == SymbolKind::Function && !names.contains(s.name))
            .cloned()
            .collect(),
        foreign: names.into_iter().filter(|name| !symbols.contains_key(name.as_str())).collect(),
    }
}

/// The work of a cdylib crate's build script: writes `stubs.rs` and sets the soname.
///
/// # Panics
/// When the crate exports a name that the table doesn't give to the library.
pub fn cdylib(library: &str) {
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    let sources = here.join("src");
    println!("cargo:rerun-if-changed=src");
    let survey = survey(library, &sources);
    assert!(
        survey.foreign.is_empty(),
        "{library} must not export {:?}: compat-tests/abi/functions.tsv doesn't list them for it",
        survey.foreign
    );
    let mut text = stubs(library, &survey);
    signature_checks(&mut text, library, &sources);
    fs::write(out.join("stubs.rs"), text).expect("can't write stubs.rs");
    if let Some((_, soname)) = SONAMES.iter().find(|(name, _)| *name == library) {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,{soname}");
    }
}

/// Link arguments of a crate that calls other libraries of the C ABI (`"daos"`, `"dfs"`, ...): the import libraries at
/// link time; at run time the folder of the program or library itself, and `lib` beside its folder. The crate must
/// depend on `daos-sys` directly. What does not call a library (a crate's unit tests) does not need it at run time.
///
/// # Panics
/// Outside a build script of such a crate.
pub fn link_to(libraries: &[&str]) {
    let dir = env::var("DEP_DAOS_SYS_IMPORT_DIR").expect("daos-sys must be a direct dependency of this crate");
    // An argument rather than a search path: cargo puts search paths into LD_LIBRARY_PATH, and the import libraries
    // must never be loaded.
    println!("cargo:rustc-link-arg=-L{dir}");
    println!("cargo:rustc-link-arg=-Wl,-rpath,$ORIGIN:$ORIGIN/../lib");
    for library in libraries {
        println!("cargo:rustc-link-lib=dylib={library}");
    }
}

/// As [`link_to`], for a library of the C ABI: each of `libraries` becomes a DT_NEEDED entry of it, called or not. A program that
/// was linked with `-ldaos` alone and calls `tse_task_create` finds it only because the original's `libdaos.so` needs
/// `libdaos_common.so`.
///
/// # Panics
/// As [`link_to`].
pub fn need(libraries: &[&str]) {
    link_to(libraries);
    println!("cargo:rustc-cdylib-link-arg=-Wl,--push-state,--no-as-needed");
    for library in libraries {
        println!("cargo:rustc-cdylib-link-arg=-l{library}");
    }
    println!("cargo:rustc-cdylib-link-arg=-Wl,--pop-state");
}

fn stubs(library: &str, survey: &Survey) -> String {
    let mut text = String::new();
    for symbol in symbols(library).values().filter(|s| !survey.implemented.contains(s.name)) {
        match symbol.kind {
            SymbolKind::Function => stub_function(&mut text, symbol, convention(library)),
            SymbolKind::WeakAlias => stub_alias(&mut text, symbol, survey),
            SymbolKind::Data(size) => stub_data(&mut text, symbol, size),
        }
    }
    text
}

/// `export!` checks signatures; for functions that don't go through it, the two branches of an `if` must agree.
fn signature_checks(text: &mut String, library: &str, sources: &Path) {
    let symbols = symbols(library);
    for (name, module) in unmacroed_functions(sources) {
        // A function with variable arguments can't be Rust: what stands for it is a jump.
        let checkable = symbols.get(name.as_str()).is_some_and(|s| s.declared && !s.parameters.contains("..."));
        if checkable {
            writeln!(
                text,
                "const _: () = {{ let _ = if true {{ {module}::{name} }} else {{ ::daos_sys::{name} }}; }};"
            )
            .expect("a String takes everything");
        }
    }
}

fn stub_function(text: &mut String, symbol: &Symbol, convention: Convention) {
    let (der_nosys, enosys) = (-1010i32, 38i32);
    let nosys = if convention == Convention::Der { der_nosys } else { enosys };
    let (returns, value) = match symbol.c_type {
        "void" => ("", String::new()),
        "int" => ("-> i32", nosys.to_string()),
        "_Bool" => ("-> bool", "false".to_owned()),
        "ssize_t" => ("-> isize", format!("-{}", nosys.abs())),
        "key_t" => ("-> i32", "-1".to_owned()),
        "double" => ("-> f64", "0.0".to_owned()),
        "long" => ("-> i64", "0".to_owned()),
        "unsigned int" | "uint32_t" => ("-> u32", "0".to_owned()),
        "uint64_t" | "daos_size_t" | "size_t" => ("-> u64", "0".to_owned()),
        pointer if pointer.ends_with('*') => ("-> *mut u8", "core::ptr::null_mut()".to_owned()),
        other => panic!("{}: how does a stub return {other}?", symbol.name),
    };
    writeln!(text, "#[unsafe(no_mangle)]\npub extern \"C\" fn {}() {returns} {{\n    {value}\n}}", symbol.name)
        .expect("a String takes everything");
}

fn stub_alias(text: &mut String, symbol: &Symbol, survey: &Survey) {
    let name = symbol.name;
    let target = format!("{name}2");
    // A jump leaves every argument where the caller put it. The symbol is global rather than weak, which makes no
    // difference to the dynamic loader; the assembler can't take back what rustc has said.
    let path = if survey.implemented.contains(target.as_str()) { "::daos_sys::" } else { "" };
    writeln!(
        text,
        "#[unsafe(naked)]\n#[unsafe(no_mangle)]\npub unsafe extern \"C\" fn {name}() {{\n    \
         #[cfg(target_arch = \"x86_64\")]\n    core::arch::naked_asm!(\"jmp {{}}\", sym {path}{target});\n    \
         #[cfg(target_arch = \"aarch64\")]\n    core::arch::naked_asm!(\"b {{}}\", sym {path}{target});\n}}"
    )
    .expect("a String takes everything");
}

fn stub_data(text: &mut String, symbol: &Symbol, size: usize) {
    let name = symbol.name;
    let (kind, value) = match symbol.c_type {
        "int" => ("i32".to_owned(), "0".to_owned()),
        "unsigned int" => ("u32".to_owned(), "0".to_owned()),
        // Log caches: DLOG_UNINIT, so that the first message asks the logger.
        list if list.starts_with("int[") => (format!("[i32; {}]", size / 4), format!("[i32::MIN; {}]", size / 4)),
        _ => (format!("[u64; {}]", size.div_ceil(8)), format!("[0; {}]", size.div_ceil(8))),
    };
    writeln!(text, "#[unsafe(no_mangle)]\npub static mut {name}: {kind} = {value};")
        .expect("a String takes everything");
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Aim: the scan finds definitions at the top of export blocks and after no_mangle, and nothing in comments,
    /// strings, nested functions or function pointer types.
    #[test]
    fn scan_finds_definitions_only() {
        let source = r#"
            // daos_export::export! { Der; fn not_this() {} }
            daos_export::export! { Der;
                fn first(cb: Option<unsafe extern "C" fn(i32) -> i32>) -> c_int { fn inner() {} let c = '{'; 0 }
                /* fn nor_this() {} */
                fn second() { let s = "fn in_string("; }
            }
            #[unsafe(no_mangle)]
            pub static mut third: i32 = 0;
            #[unsafe(no_mangle)]
            pub extern "C" fn fourth() {}
        "#;
        let names: Vec<String> = names_in(source).into_iter().collect();
        assert_eq!(names, ["first", "fourth", "second", "third"]);
    }

    /// Aim: the table gives each library its symbols, aliases and data with sizes.
    #[test]
    fn table_is_read() {
        let daos = symbols("libdaos");
        assert_eq!(daos["daos_pool_connect"].kind, SymbolKind::WeakAlias);
        assert_eq!(daos["daos_pool_connect2"].kind, SymbolKind::Function);
        assert_eq!(symbols("libgurt")["DB_ALL"].kind, SymbolKind::Data(8));
    }
}
