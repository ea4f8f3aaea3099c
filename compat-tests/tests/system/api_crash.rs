//! Calls every exported function with arguments that are NULL, stale, closed, of the wrong kind, random, too short or odd.
//!
//! One C program is made of `c/crash/runtime.h` and of one function per line of `abi/functions.tsv`. What the header's
//! contract forbids (memory that the library didn't make where it must have, ...) stands in `c/crash/contract.tsv`.
//!
//! By hand, `CRASH_KEEP=DIR` keeps source and program; `valgrind --trace-children=yes` runs it as it is.

use crate::harness::{System, compile, text, tree};
use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

const LIBRARIES: [&str; 5] = ["libdaos", "libdaos_common", "libgurt", "libdfs", "libduns"];

/// Opaque types, or such that only a function of the library may make: the thing of the runtime that stands for them.
const MADE: [(&str, &str); 23] = [
    ("dfs_t", "DFS"),
    ("dfs_obj_t", "DFS_FILE"),
    ("dfs_sys_t", "SYS"),
    ("dfs_pipeline_t", "NONE"),
    ("dfs_pipeline", "NONE"),
    ("tse_task_t", "TASK"),
    ("tse_sched_t", "SCHED"),
    ("struct d_hash_table", "TABLE"),
    ("struct d_hhash", "HANDLES"),
    ("struct d_hlink", "NONE"),
    ("struct d_ulink", "NONE"),
    ("struct d_binheap", "HEAP"),
    ("struct d_binheap_node", "NONE"),
    ("struct d_slab", "SLAB"),
    ("struct d_slab_type", "NONE"),
    ("struct d_tm_context", "STREAM"),
    ("struct d_string_buffer_t", "NONE"),
    ("struct daos_profile", "PROFILE"),
    ("d_list_t", "LIST"),
    ("FILE", "STREAM"),
    ("DIR", "NONE"),
    ("struct daos_ace", "NONE"),
    ("daos_sort_ops_t", "NONE"),
];

/// What stands at pointers to these types; others are zeroed.
const CONTENTS: [(&str, &str); 19] = [
    ("d_iov_t", "IOV"),
    ("daos_key_t", "IOV"),
    ("d_sg_list_t", "SGL"),
    ("daos_iod_t", "IOD"),
    ("daos_event_t", "EVENT"),
    ("struct daos_event", "EVENT"),
    ("daos_prop_t", "PROP"),
    ("int", "NUMBER"),
    ("unsigned int", "NUMBER"),
    ("uint32_t", "NUMBER"),
    ("uint64_t", "NUMBER"),
    ("size_t", "NUMBER"),
    ("daos_size_t", "NUMBER"),
    ("daos_epoch_t", "NUMBER"),
    ("daos_anchor_t", "SCALARS"),
    ("daos_obj_id_t", "SCALARS"),
    ("uuid_t", "SCALARS"),
    ("struct dtx_id", "SCALARS"),
    ("daos_recx_t", "SCALARS"),
];

/// Types whose values are callbacks.
const CALLBACKS: [&str; 14] = [
    "d_alloc_track_cb_t",
    "d_hash_traverse_cb_t",
    "d_hhash_traverse_cb_t",
    "d_log_id_cb_t",
    "d_tm_iter_cb_t",
    "daos_event_comp_cb_t",
    "daos_hhash_traverse_cb_t",
    "daos_oit_filter_cb",
    "daos_sgl_process_cb",
    "dfs_filler_cb_t",
    "tse_sched_comp_cb_t",
    "tse_task_cb_t",
    "tse_task_func_t",
    "daos_oit_filter_cb_t",
];

/// Structures that are passed by value.
const BY_VALUE: [&str; 8] = [
    "daos_obj_id_t",
    "daos_epoch_range_t",
    "dfs_predicate_t",
    "struct timespec",
    "struct d_fault_attr_t",
    "daos_eq_query_t",
    "crt_proc_op_t",
    "daos_oclass_hints_t",
];

type Rules = HashMap<(String, String), String>;

/// The hand-written table.
fn rules() -> Rules {
    let table = std::fs::read_to_string(tree().join("compat-tests/c/crash/contract.tsv")).expect("the table");
    let mut rules = Rules::new();
    for line in table.lines().skip(1) {
        let mut columns = line.split('\t').map(str::to_owned);
        let (Some(function), Some(parameter), Some(rule)) = (columns.next(), columns.next(), columns.next()) else {
            panic!("contract.tsv: {line}");
        };
        rules.insert((function, parameter), rule);
    }
    rules
}

/// What a text parameter is given when it shall make sense.
fn sensible_text(function: &str, name: &str) -> &'static str {
    match (function, name) {
        ("daos_cont_destroy2" | "daos_cont_destroy", _) => "no-such-container",
        (_, "label" | "cont" | "container") => "no-such-label",
        (_, "path") => "/nonexistent/file",
        _ => "name",
    }
}

/// The kind of handle that a parameter takes.
fn handle_kind(function: &str, name: &str) -> &'static str {
    match name {
        "poh" | "pool" | "ph" => "POOL",
        "coh" | "cont" | "ch" => "CONT",
        "th" | "tx" => "TX",
        "eq" | "eqh" | "eq_hdl" => "EQ",
        _ if function.starts_with("daos_pool") => "POOL",
        _ if function.starts_with("daos_cont") => "CONT",
        _ if function.starts_with("daos_kv") => "KV",
        _ if function.starts_with("daos_array") => "ARRAY",
        _ if function.starts_with("daos_eq") || function.starts_with("daos_event") => "EQ",
        _ => "OBJ",
    }
}

/// Whether a number says how much is at a pointer.
fn counts(name: &str) -> bool {
    let last = name.rsplit('_').next().unwrap_or(name);
    ["nr", "num", "count", "len", "size", "n", "sz", "length", "nmemb", "deps", "bytes", "cnt", "array"]
        .iter()
        .any(|word| last == *word || name.ends_with(word))
}

/// The expression for one argument, and whether it is a pointer and a handle.
fn argument(function: &str, at: usize, c_type: &str, name: &str, rules: &Rules) -> (String, bool, bool) {
    let rule = rules.get(&(function.to_owned(), at.to_string())).map(String::as_str);
    let whole = c_type.replace("const", " ").split_whitespace().collect::<Vec<_>>().join(" ");
    let (pointee, pointer) = match (whole.strip_suffix('*'), whole.find('[')) {
        (Some(pointee), _) => (pointee.trim(), true),
        (None, Some(bracket)) => (whole[..bracket].trim(), true),
        (None, None) => (whole.as_str(), false),
    };
    match rule {
        Some("null") => return ("NULL".to_owned(), false, false),
        Some("heap") => {
            return (format!("on_heap(s, {at}, sizeof({pointee}))").replace("sizeof(void)", "64"), true, false);
        }
        Some("kept") => return (format!("is_null(s, {at}) ? NULL : strdup(\"NAME=1\")"), true, false),
        Some("blank") => return (format!("place(s, {at}, sizeof({pointee}), BYTES)"), true, false),
        Some(rule) if rule.starts_with("bytes:") => {
            return (format!("place(s, {at}, {}, BYTES)", &rule["bytes:".len()..]), true, false);
        }
        Some("zero") => return (format!("guarded(sizeof({pointee}))"), false, false),
        Some(rule) if rule.starts_with("number:") => {
            return (format!("({whole}){}", &rule["number:".len()..]), false, false);
        }
        _ => {}
    }
    if matches!(name, "fmt" | "format") && pointer && pointee == "char" {
        return (format!("is_null(s, {at}) ? NULL : \"text\""), true, false);
    }
    if whole == "d_string_t" || (pointer && pointee == "char") {
        return (format!("text(s, {at}, \"{}\")", sensible_text(function, name)), true, false);
    }
    if whole == "uuid_t" {
        return (format!("place(s, {at}, 16, SCALARS)"), true, false);
    }
    if whole == "crt_proc_t" {
        return ("NULL".to_owned(), false, false);
    }
    if pointer {
        if let Some((_, thing)) = MADE.iter().find(|(made, _)| *made == pointee) {
            let taken = if rule == Some("once") { "made_thing_once" } else { "made_thing" };
            return (format!("{taken}(s, {at}, {thing})"), true, false);
        }
        let content = CONTENTS.iter().find(|(known, _)| *known == pointee).map_or("BYTES", |(_, content)| content);
        let size = if pointee == "void" { "1".to_owned() } else { format!("sizeof({pointee})") };
        return (format!("place(s, {at}, {size}, {content})"), true, false);
    }
    if whole == "daos_handle_t" {
        return (format!("handle(s, {})", handle_kind(function, name)), false, true);
    }
    if CALLBACKS.contains(&whole.as_str()) {
        return (format!("is_null(s, {at}) ? NULL : (void *)callback"), true, false);
    }
    if whole == "d_iov_t" {
        return ("iov_of(s)".to_owned(), false, false);
    }
    if BY_VALUE.contains(&whole.as_str()) {
        return (format!("({{ {whole} v; memset(&v, s->pointers == ODD ? 0xff : 0, sizeof(v)); v; }})"), false, false);
    }
    (format!("({whole})number(s, {})", i32::from(counts(name))), false, false)
}

/// Type and name of a parameter.
fn split_parameter(parameter: &str) -> (String, String) {
    let brackets = parameter.find('[').map_or("", |at| parameter[at..].split_inclusive(']').next().unwrap_or(""));
    let plain = if brackets.is_empty() { parameter.to_owned() } else { parameter.replace(brackets, " ") };
    let plain = plain.trim();
    let at = plain.rfind(|c: char| !(c.is_alphanumeric() || c == '_')).map_or(0, |at| at + 1);
    // A parameter without a name is its type.
    let (c_type, name) = if at == 0 { (plain, "") } else { plain.split_at(at) };
    (format!("{}{brackets}", c_type.trim()), name.to_owned())
}

/// The program.
fn generate() -> String {
    let rules = rules();
    let table = std::fs::read_to_string(tree().join("compat-tests/abi/functions.tsv")).expect("the table");
    let mut source = "#include \"runtime.h\"\n".to_owned();
    let mut targets = String::new();
    let mut done = BTreeSet::new();
    for line in table.lines().skip(1) {
        let column: Vec<&str> = line.split('\t').collect();
        let [_, library, _, name, kind, _, parameters, _] = column[..] else { panic!("functions.tsv: {line}") };
        let skipped = rules.get(&(name.to_owned(), "*".to_owned())).is_some_and(|rule| rule == "skip");
        let header = column[0].ends_with(".h");
        if !LIBRARIES.contains(&library) || kind != "function" || skipped || !header || !done.insert(name) {
            continue;
        }
        let (mut arguments, mut pointers, mut handles) = (Vec::new(), 0, 0);
        for (at, parameter) in parameters.split(", ").enumerate() {
            if matches!(parameter, "void" | "..." | "") {
                continue;
            }
            let (c_type, parameter_name) = split_parameter(parameter);
            let (text, pointer, handle) = argument(name, at, &c_type, &parameter_name, &rules);
            arguments.push(text);
            pointers = if pointer { at + 1 } else { pointers };
            handles |= usize::from(handle);
        }
        let _ = writeln!(
            source,
            "static void\ncall_{name}(struct shape *s)\n{{\n\t(void)({name})({});\n}}\n",
            arguments.join(",\n\t\t")
        );
        let live = i32::from(matches!(library, "libdaos" | "libdfs" | "libduns") || name.contains("hhash"));
        let _ = writeln!(targets, "\t{{\"{name}\", call_{name}, {pointers}, {handles}, {live}}},");
    }
    let _ = writeln!(
        source,
        "static const struct target targets[] = {{\n{targets}}};\n\nint\nmain(int argc, char **argv)\n{{\n\t\
         return run(targets, sizeof(targets) / sizeof(targets[0]), argc, argv);\n}}"
    );
    source
}

fn build(dir: &Path) -> PathBuf {
    let runtime = tree().join("compat-tests/c/crash/runtime.h");
    std::fs::copy(runtime, dir.join("runtime.h")).expect("copied");
    let source = dir.join("crash.c");
    std::fs::write(&source, generate()).expect("written");
    compile(&source, &["dfs", "duns", "daos", "daos_common", "gurt", "uuid"], dir)
}

/// Aim: no exported function crashes or hangs, whatever it is called with, before the library is initialised, on a live
/// system, and after it was finalised; and the system serves on.
#[test]
fn no_call_crashes() {
    let kept = std::env::var_os("CRASH_KEEP").map(PathBuf::from);
    let system = System::start(&[]);
    let program = build(kept.as_deref().unwrap_or_else(|| system.dir()));
    let mut failures = String::new();
    for phase in ["before", "live", "after"] {
        let output = system.command(&program).arg(phase).current_dir(system.dir()).output().expect("it runs");
        let said = text(&output.stdout);
        println!("{}", said.lines().last().unwrap_or_default());
        if !output.status.success() {
            let _ = writeln!(failures, "{phase}: {}\n{said}", output.status);
        }
    }
    assert!(failures.is_empty(), "{failures}");
    let output = system.tool("daos", &["pool", "query", "dev"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
}
